"""Delete old rows. Messages, attempts, dead letters and audit rows are never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from delivery import batches, conf
from delivery.limits import spend
from delivery.models import StatusCheck, WebhookEvent
from delivery.statuses import ON_ITS_WAY, Status
from delivery.tallies.recount import fold as fold_tallies

_ASKED_ABOUT = ON_ITS_WAY | {Status.UNKNOWN}
_BATCH = 1000
_UNMATCHED = 3


def prune(now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete old rows, a thousand per transaction. Return the number for each kind of row.

    Webhook events are deleted ``WEBHOOK_RETENTION_DAYS`` after they were applied, or after three
    times as long if no message was found for them; the watchdog's notes, once their message is
    finished. With ``dry_run`` the rows are only counted.
    """
    checks = StatusCheck.objects.exclude(message__status__in=sorted(_ASKED_ABOUT))
    if not dry_run:
        fold_tallies(now)
        batches.fold()
    return {
        "webhook_events": sum(
            len(ids) if dry_run else WebhookEvent.objects.filter(pk__in=ids).delete()[0]
            for ids in _old_events(now)
        ),
        "status_checks": _count_or_delete(checks, dry_run),
        "spent_hours": _count_or_delete(spend.prunable(now), dry_run),
    }


def _old_events(now: datetime) -> Iterator[list[int]]:
    """Yield the keys of old events, a thousand at a time, from the oldest on.

    The walk ends with a thousand events that are all too young: no index of the time is needed.
    """
    kept = timedelta(days=conf.webhook_retention_days())
    applied_before, received_before = now - kept, now - _UNMATCHED * kept
    columns, last = ("pk", "applied_at", "received_at"), 0
    young = False
    while not young:
        events = WebhookEvent.objects.filter(pk__gt=last).order_by("pk")
        rows = list(events.values_list(*columns)[:_BATCH])
        young = all(received >= applied_before for _, _, received in rows)
        if old := [
            pk for pk, applied, received in rows
            if (received < received_before if applied is None else applied < applied_before)
        ]:  # fmt: skip
            yield old
        last = rows[-1][0] if rows else last


def _count_or_delete(rows: QuerySet[Any], dry_run: bool) -> int:
    return rows.count() if dry_run else sum(_delete(rows))


def _delete(rows: QuerySet[Any]) -> Iterator[int]:
    manager = rows.model._default_manager
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        yield manager.filter(pk__in=ids).delete()[0]
