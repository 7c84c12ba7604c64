"""The list of broadcasts: first the planned ones, then the sent ones."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from delivery.models import Message, Priority
from delivery.providers import registry
from delivery.statuses import Status
from koinonia.broadcasts.progress import with_counts
from koinonia.console.paging import paged
from koinonia.console.sent.base import SentView
from koinonia.console.sent.lines import line
from koinonia.console.sent.text_lines import text_line
from koinonia.models import Broadcast

MOST_PLANNED = 50
"""Planned broadcasts, and planned texts, that the page lists; it says so if there are more."""


class BroadcastsView(SentView):
    """Shows broadcasts. The planned ones are on top with their time."""

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = Broadcast.objects.filter(church=self.church).select_related("author")
        planned = list(
            mine.filter(due_at__isnull=False).order_by("due_at", "pk")[: MOST_PLANNED + 1]
        )
        # The index of the queue begins with these columns.
        texts = (
            Message.objects.waiting()
            .filter(
                priority=Priority.REPLY, provider__in=registry.aliases(), tenant=self.church,
                status=Status.SCHEDULED,
            )
            .select_related("recipient")
        )  # fmt: skip
        waiting = list(texts.order_by("next_attempt_at", "pk")[: MOST_PLANNED + 1])
        page = paged(request, mine.filter(due_at=None))
        shown = {
            "planned": [line(broadcast) for broadcast in planned[:MOST_PLANNED]],
            "planned_texts": [
                text_line(text, self.frame.base, self.church.country)
                for text in waiting[:MOST_PLANNED]
            ],
            "more_planned": max(len(planned), len(waiting)) > MOST_PLANNED,
            "most": MOST_PLANNED,
            "lines": [line(broadcast) for broadcast in with_counts(page.rows)],
            "page": page,
            "tab": "broadcasts",
        }
        return self.page("koinonia/console/sent/broadcasts.html", shown)
