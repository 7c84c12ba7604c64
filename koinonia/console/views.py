"""The console, the page for a church office. Its script uses the public API."""

from __future__ import annotations

import re
from collections import Counter

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from delivery.content.encoding import size_rules
from koinonia.accounts import invitations
from koinonia.models import LastChurch, Role, Staff
from koinonia.names import comparison_key


@require_safe
@never_cache
def console(request: HttpRequest) -> HttpResponse:
    """Show the church of ``?church=<slug>``, or the church that the user opened last."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    staff = Staff.objects.filter(user=request.user).select_related("church")
    memberships = list(staff.order_by("church__name", "church_id"))
    invited = invitations.for_user(request.user, timezone.now())[: invitations.MAX_SHOWN]
    if not memberships:
        return render(request, "koinonia/no_church.html", {"invitations": invited}, status=403)
    last = LastChurch.objects.filter(user=request.user).first()
    membership = _chosen(memberships, request.GET.get("church"), last)
    if last is None or last.church_id != membership.church_id:
        LastChurch.objects.update_or_create(
            user=request.user, defaults={"church": membership.church}
        )
    shown = {
        "membership": membership,
        "memberships": memberships,
        "namesakes": _namesakes(memberships),
        "can_send": membership.role != Role.VIEWER,
        "invitations": invited.exists(),
        "size_rules": size_rules(),
    }
    return render(request, "koinonia/console.html", shown)


@require_safe
@never_cache
def switch(request: HttpRequest) -> HttpResponse:
    """Lead from the switch of the frame to the chosen church."""
    slug = request.GET.get("church", "")
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", slug):
        return redirect("console")
    return redirect("console-today", slug)


def _namesakes(memberships: list[Staff]) -> set[int]:
    """Return the keys of memberships in churches with the same name."""
    names = Counter(comparison_key(membership.church.name) for membership in memberships)
    return {
        membership.pk
        for membership in memberships
        if names[comparison_key(membership.church.name)] > 1
    }


def _chosen(memberships: list[Staff], slug: str | None, last: LastChurch | None) -> Staff:
    if slug is None:
        known = [
            membership
            for membership in memberships
            if last and membership.church_id == last.church_id
        ]
        return (known or memberships)[0]
    for membership in memberships:
        if membership.church.slug == slug:
            return membership
    raise Http404(f"You are not staff of a church named {slug!r}.")
