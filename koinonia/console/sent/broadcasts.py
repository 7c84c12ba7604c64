"""The list of broadcasts: first the planned ones, then the sent ones."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from delivery.models import Message, Priority
from delivery.providers import registry
from delivery.statuses import Status
from koinonia.api.prepared_list import PreparedList
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.broadcasts.progress import with_counts
from koinonia.console.paging import paged
from koinonia.console.sent.base import SentView
from koinonia.console.sent.lines import list_line
from koinonia.console.sent.text_lines import ListedText, text_line, values_of
from koinonia.models import Broadcast
from koinonia.models.broadcast import BroadcastQuerySet

MOST_PLANNED = 50
"""Planned broadcasts, and planned texts, that the page lists; it says so if there are more."""


def _broadcasts() -> BroadcastQuerySet:
    """Return the broadcasts of a church, with the columns that a line shows."""
    mine = Broadcast.objects.filter(church=Parameter("church")).select_related("author")
    return mine.only(
        "text", "total", "forecast_suppressed", "ended_as", "cancelled_at", "due_at", "created_at",
        "scheduled_at", "author__username",
    )  # fmt: skip


_NEVER = datetime.max.replace(tzinfo=UTC)
_SENT = PreparedList(lambda: _broadcasts().filter(due_at=None))
_PLANNED = PreparedQuery(
    lambda: _broadcasts().filter(due_at__isnull=False).order_by("due_at", "pk")[: MOST_PLANNED + 1]
)


@lru_cache(maxsize=8)
def _planned_texts(aliases: tuple[str, ...]) -> PreparedQuery[Any]:
    """Return the statement of the texts that wait for their time, in the queues of the accounts."""
    # The index of the queue begins with these columns.
    return PreparedQuery(
        lambda: values_of(
            Message.objects.waiting().filter(
                priority=Priority.REPLY, provider__in=aliases, tenant=Parameter("church"),
                status=Status.SCHEDULED,
            )
        ).order_by("next_attempt_at", "pk")[: MOST_PLANNED + 1]
    )  # fmt: skip


class BroadcastsView(SentView):
    """Shows broadcasts. The planned ones are on top with their time."""

    def get(self, request: HttpRequest) -> HttpResponse:
        church, base = self.church.pk, self.frame.base
        planned = _PLANNED.objects(church=church)
        waiting = _planned_texts(tuple(registry.aliases())).rows(church=church)
        page = paged(request, _SENT.of(church=church))
        shown = {
            "planned": self._planned(planned[:MOST_PLANNED], waiting[:MOST_PLANNED]),
            "more_planned": max(len(planned), len(waiting)) > MOST_PLANNED,
            "most": MOST_PLANNED,
            "lines": [list_line(broadcast, base) for broadcast in with_counts(page.rows)],
            "page": page,
            "tab": "broadcasts",
        }
        return self.page("koinonia/console/sent/broadcasts.html", shown)

    def _planned(self, broadcasts: list[Broadcast], texts: list[Any]) -> list[SafeString]:
        """Return the lines of what is scheduled, the next first."""
        base, country = self.frame.base, self.church.country
        lines = [(broadcast.due_at, list_line(broadcast, base)) for broadcast in broadcasts]
        for row in texts:
            text = ListedText(*row)
            lines.append((text.scheduled_at, text_line(text, base, country)))
        return [line for _at, line in sorted(lines, key=lambda one: one[0] or _NEVER)]
