"""Read the tallies: by day, and since a moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from django.apps import apps
from django.db.models import Count, F, OuterRef, Q, QuerySet, Sum

from delivery import conf
from delivery.models import Message, Tally
from delivery.statuses import DEAD_LETTERS, Status
from delivery.tallies.counted import QUARTER_SECONDS, SENT
from delivery.tallies.recount import quarter_of

_SHOWN = ("sent", "delivered", "failed", "dead")
_HANDED_OVER = tuple(status for status in SENT if status != Status.FAILED)
_NOT_DELIVERED = (Status.FAILED, *sorted(DEAD_LETTERS))


def waiting(tenant_id: Any = None) -> dict[str, int]:
    """Return the number of dead letters that wait for a person, by status."""
    now = _tallies(tenant_id).filter(quarter=0)
    found = now.aggregate(dead=Sum("waiting_dead"), unknown=Sum("waiting_unknown"))
    return {status: int(number or 0) for status, number in found.items()}


def dead_letters_of(tenant: OuterRef) -> QuerySet[Any, Any]:
    """Return the number of a tenant's dead letters, as a subquery without a row if it has none."""
    mine = Tally.objects.filter(tenant=tenant, quarter=0).order_by().values("tenant")
    return mine.annotate(letters=Sum(F("waiting_dead") + F("waiting_unknown"))).values("letters")


def by_day(since: datetime, zone: tzinfo, tenant_id: Any = None) -> dict[date, dict[str, int]]:
    """Return the counts of the days since the begin of one in ``zone``, without empty days.

    Every zone of today begins its days with a quarter of an hour.
    """
    rows = _tallies(tenant_id).filter(quarter__gte=quarter_of(since)).order_by("quarter")
    days: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_SHOWN, 0))
    day: dict[str, int] = {}
    end = 0
    # Summed here: PostgreSQL's sums are decimals, and cost more to read than the rows.
    for quarter, *numbers in rows.values_list("quarter", *_SHOWN):
        if quarter >= end:
            today, end = _day_of(quarter, zone)
            day = days[today]
        for column, number in zip(_SHOWN, numbers, strict=True):
            day[column] += number
    return days


def _day_of(quarter: int, zone: tzinfo) -> tuple[date, int]:
    """Return the day of a quarter of an hour, and the first quarter of the next day."""
    day = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone).date()
    midnight = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    return day, quarter_of(midnight)


def success_rate(since: datetime, tenant_id: Any = None) -> float | None:
    """Return the share that was handed over among the messages since then with a known outcome."""
    first = quarter_of(since)
    counted = _tallies(tenant_id).filter(quarter__gte=first)
    sums = counted.aggregate(*(Sum(column) for column in _SHOWN))
    good = (sums["sent__sum"] or 0) - (sums["failed__sum"] or 0)
    bad = (sums["failed__sum"] or 0) + (sums["dead__sum"] or 0)
    before = _outcomes_before(since, first, tenant_id)
    good, bad = int(good) - before["good"], int(bad) - before["bad"]
    return round(good / (good + bad), 4) if good + bad else None


def _outcomes_before(since: datetime, quarter: int, tenant_id: Any) -> dict[str, int]:
    """Count the messages from the begin of the quarter to ``since``: the tally cannot tell them apart."""
    begin = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)
    # Named one by one, because the index of the time begins with the tenant.
    tenants = apps.get_model(conf.tenant_model())._default_manager.values("pk")
    chosen = tenants if tenant_id is None else tenants.filter(pk=tenant_id)
    counts: dict[str, int] = Message.objects.filter(
        tenant__in=chosen, created_at__gte=begin, created_at__lt=since
    ).aggregate(
        good=Count("pk", filter=Q(status__in=_HANDED_OVER)),
        bad=Count("pk", filter=Q(status__in=_NOT_DELIVERED)),
    )
    return counts


def _tallies(tenant_id: Any) -> QuerySet[Tally]:
    of_all = Tally.objects.filter(tenant__isnull=True)
    return of_all if tenant_id is None else Tally.objects.filter(tenant=tenant_id)
