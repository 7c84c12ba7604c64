from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from koinonia.console.frame import ConsoleView


class TodayView(ConsoleView):
    """The first page of a church: the figures of today."""

    section = "today"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("koinonia/console/today/today.html")
