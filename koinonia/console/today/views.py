from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from koinonia.console.frame import ConsoleView
from koinonia.console.inbox.lists import Chosen
from koinonia.console.inbox.rows import listed, listed_without_query
from koinonia.console.today.figures import Figures, figures, next_scheduled
from koinonia.templatetags.console import day_in_words
from koinonia.zones import zone_named

_NEW_FOR = timedelta(days=30)
_UNREAD_SHOWN = 3
"""The conversations with unread texts that Today shows."""


class TodayView(ConsoleView):
    """The first page of a church: the figures of today."""

    section = "today"

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        found = figures(self.church, now, zone_named(self.church.timezone))
        coming = next_scheduled(self.church, with_texts=bool(found.scheduled))
        shown = {"figures": found, "coming": coming, "now": now, **_chart(found)}
        unread = Chosen({"show": "unread"}, self.membership)
        shown["chosen"] = unread
        newest = unread.newest(_UNREAD_SHOWN)
        # The page has a budget of statements: what the scheduled texts leave reads the words of
        # unread texts that an automatic answer or a broadcast has followed.
        rows = listed_without_query if found.scheduled else listed
        shown["rows_unread"] = rows(newest, self.membership)
        # The figures have 30 days: for an older church they do not tell whether it ever texted.
        is_quiet = found.success_rate is None and not found.waiting and not found.replies
        shown["is_new"] = is_quiet and not coming and now - self.church.created_at < _NEW_FOR
        return self.page("koinonia/console/today/today.html", shown)


def _chart(found: Figures) -> dict[str, Any]:
    rows = [
        (
            day_in_words(day["date"], "D j M"),
            (
                day["delivered"],
                max(0, day["sent"] - day["delivered"] - day["failed"]),
                day["failed"] + day["dead"],
            ),
        )
        for day in found.days
    ]
    series = [(_("Delivered"), "good"), (_("Sent, not confirmed"), "calm"), (_("Failed"), "bad")]
    return {"rows": rows, "series": series}
