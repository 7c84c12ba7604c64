"""The account of the user: tokens for programs, sessions, and leaving the staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.models import AuthToken

from koinonia import audit, ids
from koinonia.accounts import passwords, staff_changes, tokens
from koinonia.accounts.last_owner import KEEP_ONE_OWNER
from koinonia.accounts.staff_changes import LastOwnerError
from koinonia.api.serializers.accounts import NewTokenSerializer, TokenSerializer
from koinonia.console.forms import add_errors
from koinonia.console.office.base import OfficeView
from koinonia.console.office.forms import TokenForm
from koinonia.models import Role, UserSession


class AccountPage(OfficeView):
    """The tokens and sessions of the user. A POST makes a token and shows it once."""

    write_role = Role.VIEWER

    def get(self, request: Any) -> HttpResponse:
        return self._shown(TokenForm())

    def post(self, request: Any) -> HttpResponse:
        form = TokenForm(request.POST)
        secret = self._made(form) if form.is_valid() else None
        if secret is None:
            return self._shown(form, status=422)
        # Do not redirect: only this page shows the token.
        return self._shown(TokenForm(), secret=secret)

    def _made(self, form: TokenForm) -> str | None:
        judged = self.judge(NewTokenSerializer, form.cleaned_data)
        if not judged.is_valid():
            add_errors(form, judged.errors)
            return None
        try:
            _token, secret = tokens.named_token(
                self.user, **judged.validated_data, still_valid=self._is_still_valid
            )
        except tokens.TooManyTokensError:
            sentence = _("You have %(most)s named tokens already: end one first.")
            form.add_error(None, sentence % {"most": tokens.MAX_NAMED})
            return None
        except tokens.LoginEndedError:
            form.add_error(None, _("This login has ended. Sign in again."))
            return None
        return secret

    def _is_still_valid(self) -> bool:
        session = self.request.session
        same = User.objects.filter(pk=self.user.pk, password=self.user.password, is_active=True)
        return same.exists() and session.exists(session.session_key or "")

    def _shown(self, form: TokenForm, *, secret: str = "", status: int = 200) -> HttpResponse:
        mine = tokens.valid_tokens(self.user)
        context = {
            "form": form,
            "secret": secret,
            "tokens": [(token, TokenSerializer(token).get_last_used_at(token)) for token in mine],
            "sessions": UserSession.objects.filter(user=self.user).filter(_unexpired()).count(),
        }
        return self.page("koinonia/console/office/account.html", context, status)


def _unexpired() -> Q:
    valid = Session.objects.filter(expire_date__gt=timezone.now())
    return Q(session_key__in=valid.values("session_key"))


class EndTokenPage(OfficeView):
    write_role = Role.VIEWER

    def post(self, request: Any, key: str) -> HttpResponse:
        number = ids.decode(key)
        token = AuthToken.objects.filter(user=self.user, details__pk=number or 0).first()
        if token is None:
            raise Http404
        with transaction.atomic():
            # Delete the instance, not the queryset: its signal closes the sockets.
            token.delete()
            audit.record(self.church, self.user, "token.ended")
        self.notice(_("The token does not work any more."))
        return self.go(self.path("account"))


class LogoutEverywherePage(OfficeView):
    write_role = Role.VIEWER

    def post(self, request: Any) -> HttpResponse:
        with transaction.atomic():
            passwords.log_out_everywhere(self.user)
            audit.record(self.church, self.user, "session.ended")
        logout(request)
        return self.go(reverse("login"))


class LeavePage(OfficeView):
    """Asks before the user leaves the staff of the church."""

    write_role = Role.VIEWER

    def get(self, request: Any) -> HttpResponse:
        return self.page("koinonia/console/office/leave.html")

    def post(self, request: Any) -> HttpResponse:
        try:
            staff_changes.remove(self.membership, self.user)
        except LastOwnerError:
            self.notice(str(KEEP_ONE_OWNER), level=40)
            return self.go(self.path("account"))
        request.session.pop("church", None)
        return self.go(reverse("console"))
