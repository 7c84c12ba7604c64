"""The figures of the page Today: by tallies and small indexes, never by reading all texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from delivery import status_report
from delivery.limits import spend
from delivery.models import Message, OptOut
from delivery.models.message import Direction
from delivery.statuses import Status
from delivery.tallies import reading as tallies
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.ids import encode
from koinonia.models import Broadcast, Church
from koinonia.models.member import known_name
from koinonia.phone import as_written

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one church. ``days`` has 30 days, oldest first."""

    days: list[dict[str, Any]]
    replies: int
    opt_outs: int
    """Numbers that opted out in this month."""
    waiting: int
    """Texts that wait for their turn: scheduled ones do not count."""
    scheduled: int
    """Single texts that wait for their time."""
    undecided: int
    """Dead letters."""
    spend: Any

    @property
    def today(self) -> dict[str, Any]:
        return self.days[-1]

    @property
    def failed_today(self) -> int:
        return int(self.today["failed"] + self.today["dead"])

    @property
    def success_rate(self) -> float | None:
        """Return the share of the texts of 30 days that the provider took and no carrier refused."""
        good = sum(day["sent"] - day["failed"] for day in self.days)
        bad = sum(day["failed"] + day["dead"] for day in self.days)
        return good / (good + bad) if good + bad else None

    @property
    def rate_in_words(self) -> str:
        """Return the success rate in per cent, rounded down, so that 100 % means all."""
        return f"{int(1000 * (self.success_rate or 0)) / 10:g} %"

    @property
    def spent_share(self) -> int | None:
        """Return the used per cent of the daily cap; None without a cap."""
        return min(100, 100 * self.spend.parts // self.spend.cap) if self.spend.cap else None


def figures(church: Church, now: datetime, zone: tzinfo) -> Figures:
    """Return the figures of the church at ``now``; a day begins at midnight in ``zone``."""
    here = now.astimezone(zone)
    midnight = datetime.combine(here.date(), time.min, tzinfo=zone)
    replies, opt_outs, waiting, scheduled, undecided = _counts(
        church, midnight, midnight.replace(day=1)
    )
    return Figures(
        days=status_report.days(church.pk, now, zone),
        replies=replies,
        opt_outs=opt_outs,
        waiting=waiting,
        scheduled=scheduled,
        undecided=undecided,
        spend=spend.current(church.pk, now),
    )


def _counts(church: Church, midnight: datetime, first: datetime) -> tuple[int, ...]:
    """Count the replies since ``midnight``, the opt-outs since ``first``, and what waits.

    One statement counts all: the page has a budget of statements.
    """
    (found,) = _COUNTS.rows(church=church.pk, midnight=midnight, first=first)
    return tuple(map(int, found))


def _counts_of_a_church() -> QuerySet[Any, Any]:
    replies = Message.objects.filter(
        tenant=OuterRef("pk"), created_at__gte=Parameter("midnight"), direction=Direction.INBOUND
    )
    opt_outs = OptOut.objects.filter(tenant=OuterRef("pk"), created_at__gte=Parameter("first"))
    of_church = Message.objects.waiting().filter(tenant=OuterRef("pk"))
    waiting = of_church.filter(status__in=(Status.QUEUED, Status.RETRYING))
    scheduled = of_church.filter(status=Status.SCHEDULED, batch__isnull=True)
    counted = [
        rows.order_by().values("tenant").annotate(n=Count("pk")).values("n")
        for rows in (replies, opt_outs, waiting, scheduled)
    ]
    numbers = [
        Coalesce(Subquery(rows), 0) for rows in (*counted, tallies.dead_letters_of(OuterRef("pk")))
    ]
    return Church.objects.filter(pk=Parameter("church")).values_list(*numbers)


_COUNTS = PreparedQuery(_counts_of_a_church)
_NEXT_BROADCASTS = PreparedQuery(
    lambda: (
        Broadcast.objects.filter(church=Parameter("church"), due_at__isnull=False)
        .order_by("due_at")
        .values_list("pk", "due_at", "text", "total", "forecast_suppressed")[:SHOWN]
    )
)
_NEXT_TEXTS = PreparedQuery(
    lambda: (
        Message.objects.waiting()
        .filter(tenant=Parameter("church"), status=Status.SCHEDULED, batch__isnull=True)
        .order_by("next_attempt_at")
        .values_list(
            "pk",
            "next_attempt_at",
            "text",
            "to_number",
            "recipient__first_name",
            "recipient__last_name",
        )[:SHOWN]
    )
)


@dataclass(frozen=True, slots=True)
class Coming:
    """A broadcast or a single text that waits for its time."""

    at: datetime
    text: str
    id: str
    people: int = 0
    """How many people a broadcast would reach now."""
    to: str = ""
    """The person, or the number, of a single text."""


def next_scheduled(church: Church, *, with_texts: bool = True) -> list[Coming]:
    """Return the broadcasts and single texts that go out next, the earliest first."""
    found = [
        Coming(at, text, encode(key), people=total - opted_out)
        for key, at, text, total, opted_out in _NEXT_BROADCASTS.rows(church=church.pk)
    ]
    texts = _NEXT_TEXTS.rows(church=church.pk) if with_texts else ()
    for key, at, text, number, first_name, last_name in texts:
        name = known_name(first_name or "", last_name or "")
        if at:
            found.append(
                Coming(at, text, encode(key), to=name or as_written(number, church.country))
            )
    return sorted(found, key=lambda one: one.at)[:SHOWN]
