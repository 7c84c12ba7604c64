"""The way in: the church that the user opened last, or the pages for a user without a church."""

from __future__ import annotations

import re

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from koinonia.accounts import invitations
from koinonia.models import LastChurch, Staff


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the church that the user opened last, else to the first one by name."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    mine = Staff.objects.filter(user=request.user)
    last = LastChurch.objects.filter(user=request.user).values("church")
    slugs = mine.order_by("church__name", "church_id").values_list("church__slug", flat=True)
    slug = slugs.filter(church__in=last).first() or slugs.first()
    invited = invitations.for_user(request.user, timezone.now())
    if slug is None:
        shown = {"invitations": invited[: invitations.MAX_SHOWN]}
        return render(request, "koinonia/no_church.html", shown, status=403)
    if invited.exists():
        link = reverse("my-invitations"), _("Show the invitations")
        sentence = _("Another church invites you.")
        messages.info(request, format_html('{} <a href="{}">{}</a>', sentence, *link))
    return redirect("console-today", slug)


@require_safe
@never_cache
def switch(request: HttpRequest) -> HttpResponse:
    """Lead from the switch of the frame to the chosen church."""
    slug = request.GET.get("church", "")
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", slug):
        return redirect("console")
    return redirect("console-today", slug)
