"""The pages on which a person accepts an invitation. They need no script."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from koinonia.accounts import invitations, new_accounts
from koinonia.models import Invitation, Staff

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_safe
@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """Show the invitations that name the user."""
    found = invitations.for_user(cast(User, request.user), timezone.now())
    shown = {"invitations": found[: invitations.MOST_SHOWN]}
    return render(request, "koinonia/invitations.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def one(request: HttpRequest, token: str) -> HttpResponse:
    """Accept as who is signed in, or sign in first, or choose a password for a new account."""
    user = request.user if request.user.is_authenticated else None
    invitation = invitations.find(token, user, timezone.now())
    if invitation is None:
        return _ended(request)
    if user is None:
        return _for_a_visitor(request, invitation)
    if request.method == "POST":
        return _accepted(request, invitations.accept(invitation, user, timezone.now()))
    return render(request, "koinonia/invitation.html", {"invitation": invitation})


def _for_a_visitor(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    name = new_accounts.username_for(invitation.email)
    # The rules for passwords compare with it; it is no row.
    nobody = User(username=name, email=invitation.email)
    form: Any = SetPasswordForm(nobody, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _join(request, invitation, form.cleaned_data["new_password1"])
    shown = {"invitation": invitation, "form": form, "username": name}
    return render(request, "koinonia/invitation.html", shown)


def _join(request: HttpRequest, invitation: Invitation, password: str) -> HttpResponse:
    with transaction.atomic():
        user = new_accounts.create_for(invitation.email, password)
        place = invitations.accept(invitation, user, timezone.now())
        if place is None:
            # Somebody was faster with the same link: no account is left behind.
            transaction.set_rollback(True)
    if place is None:
        return _ended(request)
    login(request, user, backend=_BACKEND)
    if user.get_username() != new_accounts.username_for(invitation.email):
        # The page before told another one, and without its name nobody signs in again.
        return render(request, "koinonia/invitation_joined.html", {"place": place})
    return _accepted(request, place)


def _accepted(request: HttpRequest, place: Staff | None) -> HttpResponse:
    if place is None:
        return _ended(request)
    return HttpResponseRedirect(f"{reverse('console')}?church={place.church.slug}")


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "koinonia/invitation_ended.html", status=404)
