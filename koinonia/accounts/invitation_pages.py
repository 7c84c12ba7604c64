"""Pages to accept an invitation. They work without JavaScript."""

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
def my_invitations(request: HttpRequest) -> HttpResponse:
    """Show the invitations that name the user."""
    found = invitations.for_user(cast(User, request.user), timezone.now())
    shown = {"invitations": found[: invitations.MAX_SHOWN]}
    return render(request, "koinonia/invitations.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Accept one invitation, either as the signed-in user or with a new account."""
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
    # For the password rules, which compare a password with the name; it is never saved.
    unsaved = User(username=name, email=invitation.email)
    form: Any = SetPasswordForm(unsaved, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _join(request, invitation, form.cleaned_data["new_password1"])
    shown = {"invitation": invitation, "form": form, "username": name}
    return render(request, "koinonia/invitation.html", shown)


def _join(request: HttpRequest, invitation: Invitation, password: str) -> HttpResponse:
    with transaction.atomic():
        user = new_accounts.create_for(invitation.email, password)
        membership = invitations.accept(invitation, user, timezone.now())
        if membership is None:
            # Race: another request used the link first. Roll back, so that no account remains.
            transaction.set_rollback(True)
    if membership is None:
        return _ended(request)
    login(request, user, backend=_BACKEND)
    if user.get_username() != new_accounts.username_for(invitation.email):
        # The previous page showed another user name, and the user needs the real one to sign in.
        return render(request, "koinonia/invitation_joined.html", {"membership": membership})
    return _accepted(request, membership)


def _accepted(request: HttpRequest, membership: Staff | None) -> HttpResponse:
    if membership is None:
        return _ended(request)
    return HttpResponseRedirect(reverse("console-today", args=[membership.church.slug]))


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "koinonia/invitation_ended.html", status=404)
