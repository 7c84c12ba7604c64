"""The list of the user's browsers, a part of the page of the account."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia import audit
from koinonia.accounts import devices
from koinonia.console.office.base import OfficeView
from koinonia.models import Role


class SessionsView(OfficeView):
    write_role = Role.VIEWER

    @property
    def present_key(self) -> str:
        return self.request.session.session_key or ""

    def sessions(self) -> dict[str, Any]:
        """Return the context of the list."""
        shown, more = devices.devices(self.user, self.present_key, timezone.now())
        return {"devices": shown, "more_devices": more}


class EndSessionPage(SessionsView):
    """Signs another browser of the user out."""

    def post(self, request: Any, key: str) -> HttpResponse:
        with transaction.atomic():
            if not devices.end(self.user, key, but=self.present_key):
                raise Http404("You are not signed in there.")
            audit.record(self.church, self.user, "session.ended")
        self.notice(_("That browser is signed out."))
        return self.go(self.path("account"))


class EndOtherSessionsPage(SessionsView):
    def post(self, request: Any) -> HttpResponse:
        with transaction.atomic():
            devices.end_others(self.user, self.present_key)
            audit.record(self.church, self.user, "session.ended")
        self.notice(_("All other browsers are signed out."))
        return self.go(self.path("account"))
