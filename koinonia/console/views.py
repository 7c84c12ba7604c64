"""The page a church office works in. It reads and writes through the same API as everyone."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from koinonia.models import Role, Staff


@require_safe
@never_cache
def console(request: HttpRequest) -> HttpResponse:
    """``/`` shows the first church of the user, ``/?church=<slug>`` the one that is named."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    staff = Staff.objects.filter(user=request.user).select_related("church")
    places = list(staff.order_by("church__name"))
    if not places:
        return render(request, "koinonia/no_church.html", status=403)
    place = _chosen(places, request.GET.get("church"))
    shown = {"place": place, "places": places, "can_send": place.role != Role.VIEWER}
    return render(request, "koinonia/console.html", shown)


def _chosen(places: list[Staff], slug: str | None) -> Staff:
    if slug is None:
        return places[0]
    for place in places:
        if place.church.slug == slug:
            return place
    raise Http404(f"You are not staff of a church named {slug!r}.")
