"""The page with the conversations."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from koinonia.console.frame import ConsoleView
from koinonia.console.inbox.lists import Chosen
from koinonia.console.inbox.rows import listed
from koinonia.console.paging import paged


class InboxView(ConsoleView):
    """The open conversations of a church, or another list."""

    section = "inbox"

    def get(self, request: HttpRequest) -> HttpResponse:
        chosen = Chosen(request.GET, self.membership)
        page = paged(request, chosen.conversations(), chosen.order, keep=chosen.keep)
        shown = {
            "chosen": chosen,
            "page": page,
            "rows": listed(page.rows, self.membership),
            "current": request.GET.get("beside", ""),
        }
        return self.page("koinonia/console/inbox/list.html", shown)
