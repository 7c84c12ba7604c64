"""Delete old rows. Messages, attempts, dead letters and audit rows are never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from delivery import conf
from delivery.limits import spend
from delivery.models import StatusCheck, WebhookEvent
from delivery.statuses import ON_ITS_WAY, Status

_ASKED_ABOUT = ON_ITS_WAY | {Status.UNKNOWN}
_BATCH = 1000
_UNMATCHED = 3


def prune(now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete old rows, a thousand per transaction. Return the number for each kind of row.

    Webhook events are deleted ``WEBHOOK_RETENTION_DAYS`` after they were applied, or after three
    times as long if no message was found for them; the watchdog's notes, once their message is
    finished. With ``dry_run`` the rows are only counted.
    """
    return {
        name: rows.count() if dry_run else sum(_delete(rows)) for name, rows in _old(now).items()
    }


def _old(now: datetime) -> dict[str, QuerySet[Any]]:
    kept = timedelta(days=conf.webhook_retention_days())
    events = WebhookEvent.objects.filter(
        Q(applied_at__lt=now - kept)
        | Q(applied_at__isnull=True, received_at__lt=now - _UNMATCHED * kept)
    )
    checks = StatusCheck.objects.exclude(message__status__in=sorted(_ASKED_ABOUT))
    return {
        "webhook_events": events,
        "status_checks": checks,
        "spent_hours": spend.prunable(now),
    }


def _delete(rows: QuerySet[Any]) -> Iterator[int]:
    manager = rows.model._default_manager
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        yield manager.filter(pk__in=ids).delete()[0]
