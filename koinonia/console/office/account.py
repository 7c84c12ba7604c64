"""The account of the user: sessions, and leaving the staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia import audit
from koinonia.accounts import passwords, staff_changes
from koinonia.accounts.last_owner import KEEP_ONE_OWNER
from koinonia.accounts.staff_changes import LastOwnerError
from koinonia.console.office.base import OfficeView
from koinonia.console.office.keys import lines
from koinonia.console.office.sessions import SessionsView
from koinonia.models import Role


class AccountPage(SessionsView):
    """The sessions of the user, the keys in short, and leaving."""

    def get(self, request: Any) -> HttpResponse:
        found = list(lines(self.user, timezone.now()))
        context = {
            "keys": sum(not line.has_ended for line in found),
            "ending": any(line.name and line.days_left is not None for line in found),
            **self.sessions(),
        }
        return self.page("koinonia/console/office/account.html", context)


class LogoutEverywherePage(OfficeView):
    """Asks before it ends all sessions and API keys of the user."""

    write_role = Role.VIEWER

    def get(self, request: Any) -> HttpResponse:
        return self.ask(
            _("Sign out everywhere?"),
            [
                _("You sign in again on each computer and phone."),
                _("Your API keys end: the programs that work in your name stop."),
            ],
            yes=_("Sign out everywhere"), back=self.path("account"), no=_("Stay signed in"),
        )  # fmt: skip

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
