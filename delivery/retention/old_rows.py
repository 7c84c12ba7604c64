"""Delete old rows: messages, audit rows, webhook events, notes of the watchdog, spent hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from delivery import batches, conf
from delivery.limits import spend
from delivery.models import (
    AccountHold,
    BreakerTransition,
    RetryRun,
    Slowdown,
    StatusCheck,
    TenantStop,
    WebhookEvent,
)
from delivery.retention import texts
from delivery.retention.archives import Archives
from delivery.retention.pace import Pace
from delivery.statuses import ON_ITS_WAY, Status
from delivery.tallies.recount import fold as fold_tallies

_ASKED_ABOUT = ON_ITS_WAY | {Status.UNKNOWN}
_BATCH = 1000
_UNMATCHED = 3


def prune(
    now: datetime,
    *,
    dry_run: bool = False,
    archives: Archives | None = None,
    pace: Pace | None = None,
) -> dict[str, int]:
    """Delete old rows in small transactions. Return the number for each kind of row.

    Webhook events are deleted ``WEBHOOK_RETENTION_DAYS`` after they were applied, or after three
    times as long if no message was found for them; the watchdog's notes, once their message is
    finished. Messages and audit rows go into ``archives`` first. With ``dry_run`` the rows are only
    counted.
    """
    archives, pace = archives or Archives(None, now), pace or Pace()
    checks = StatusCheck.objects.exclude(message__status__in=sorted(_ASKED_ABOUT))
    if not dry_run:
        fold_tallies(now)
        batches.fold()
    return {
        "texts": texts.count_old(now) if dry_run else texts.delete_old(now, archives, pace),
        "webhook_events": sum(
            len(ids) if dry_run else _delete_keys(WebhookEvent, ids, pace)
            for ids in _old_events(now)
        ),
        "status_checks": _count_or_delete(checks, dry_run),
        "spent_hours": _count_or_delete(spend.prunable(now), dry_run),
        "audit_rows": sum(
            rows.count() if dry_run else archive_and_delete(rows, archives, pace)
            for rows in _old_audit_rows(now)
        ),
    }


def archive_and_delete(rows: QuerySet[Any], archives: Archives, pace: Pace) -> int:
    """Archive and delete rows that nothing refers to, in small transactions. Return their number."""
    model, done, number = rows.model, 0, 0
    kind = model._meta.db_table
    columns = [field.attname for field in model._meta.concrete_fields]
    if not rows.exists():
        return 0
    archives.prepare(kind)
    while True:
        with pace.slice() as most, archives.transaction():
            free = (
                rows.filter(pk__gt=done)
                .order_by("pk")
                .select_for_update(skip_locked=True, of=("self",))
            )
            found = list(free[:most])
            archives.append(kind, columns, [list(texts.values_of(row).values()) for row in found])
            keys = [row.pk for row in found]
            deleted = model._default_manager.filter(pk__in=keys).delete()[1]
            number += int(deleted.get(model._meta.label, 0))
        if len(found) < most:
            return number
        done = keys[-1]


def _old_audit_rows(now: datetime) -> Iterator[QuerySet[Any]]:
    days = conf.audit_retention_days()
    if days is not None:
        before = now - timedelta(days=days)
        yield BreakerTransition.objects.filter(at__lt=before)
        yield AccountHold.objects.filter(ended_at__lt=before)
        yield TenantStop.objects.filter(ended_at__lt=before)
        yield Slowdown.objects.filter(ended_at__lt=before)
        yield RetryRun.objects.filter(at__lt=before)


def _delete_keys(model: type[Any], keys: list[int], pace: Pace) -> int:
    number = 0
    while keys:
        with pace.slice() as most:
            number += int(model._default_manager.filter(pk__in=keys[:most]).delete()[0])
            keys = keys[most:]
    return number


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
