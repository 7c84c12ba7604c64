"""The page "More", and the two parts of the frame that events renew."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from koinonia.accounts import invitations
from koinonia.console.frame import ConsoleView


class MoreView(ConsoleView):
    """Links to all pages, the account of the user, the language and the switch of the church."""

    section = "more"

    def get(self, request: HttpRequest) -> HttpResponse:
        invited = invitations.for_user(self.user, timezone.now()).exists()
        shown = {"invitations": invited, "languages": settings.LANGUAGES}
        return self.page("koinonia/console/today/more.html", shown)


class UnreadView(ConsoleView):
    """The number of unread texts, for the navigation."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("koinonia/console/_unread.html")


class BannerView(ConsoleView):
    """The sentences that explain why texts wait."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.frame.fresh = True
        return self.page("koinonia/console/_banner.html")
