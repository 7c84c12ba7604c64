"""The page a church office works in. It reads and writes through the same API as everyone."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from koinonia.accounts import invitations
from koinonia.models import LastChurch, Role, Staff
from koinonia.names import comparison_key


@require_safe
@never_cache
def console(request: HttpRequest) -> HttpResponse:
    """``/`` shows the church that the user looked at last, ``/?church=<slug>`` the one named."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    staff = Staff.objects.filter(user=request.user).select_related("church")
    places = list(staff.order_by("church__name", "church_id"))
    invited = invitations.for_user(request.user, timezone.now())[: invitations.MOST_SHOWN]
    if not places:
        return render(request, "koinonia/no_church.html", {"invitations": invited}, status=403)
    last = LastChurch.objects.filter(user=request.user).first()
    place = _chosen(places, request.GET.get("church"), last)
    if last is None or last.church_id != place.church_id:
        LastChurch.objects.update_or_create(user=request.user, defaults={"church": place.church})
    shown = {
        "place": place,
        "places": places,
        "namesakes": _namesakes(places),
        "can_send": place.role != Role.VIEWER,
        "invitations": invited.exists(),
    }
    return render(request, "koinonia/console.html", shown)


def _namesakes(places: list[Staff]) -> set[int]:
    """Return the places in churches whose name another of the user's churches has, too."""
    names = Counter(comparison_key(place.church.name) for place in places)
    return {place.pk for place in places if names[comparison_key(place.church.name)] > 1}


def _chosen(places: list[Staff], slug: str | None, last: LastChurch | None) -> Staff:
    if slug is None:
        known = [place for place in places if last and place.church_id == last.church_id]
        return (known or places)[0]
    for place in places:
        if place.church.slug == slug:
            return place
    raise Http404(f"You are not staff of a church named {slug!r}.")
