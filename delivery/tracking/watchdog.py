"""Messages that Telnyx has and that no webhook finished: ask what became of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from delivery import conf
from delivery.changes import message_changes
from delivery.models import Message, StatusCheck
from delivery.statuses import ON_ITS_WAY, Status
from delivery.telnyx.lookup import Lookup, LookupFailedError
from delivery.tracking.order import supersedes
from delivery.tracking.progress import PROGRESS_FIELDS, move
from delivery.tracking.report import StatusReport, status_report

logger = logging.getLogger("delivery")

_BUDGET_SECONDS = 10.0
_LONGEST_PAUSE = timedelta(hours=6)


def reconcile(now: datetime, limit: int = 20) -> int:
    """Ask about up to ``limit`` messages, and end those that nobody will confirm; how many moved.

    Waits for Telnyx; a worker calls :func:`delivery.tracking.reconcile`, which does not.
    """
    return apply(ask(take_overdue(now, limit), now), now) + give_up_waiting(now)


def take_overdue(now: datetime, limit: int) -> list[str]:
    """The provider's ids of messages to ask about; each is asked about later and later."""
    quiet_since = now - timedelta(seconds=conf.watchdog_after())
    rows = list(
        Message.objects.filter(
            Q(status_check__isnull=True) | Q(status_check__next_at__lte=now),
            status__in=ON_ITS_WAY,
            updated_at__lte=quiet_since,
            provider_id__isnull=False,
        )
        .select_related("status_check")
        .order_by("updated_at")[:limit]
    )
    StatusCheck.objects.bulk_create(
        [_next_check(row, now) for row in rows],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["times", "next_at"],
    )
    return [row.provider_id for row in rows if row.provider_id]


def ask(provider_ids: Sequence[str], now: datetime) -> list[StatusReport]:
    """What Telnyx says of each, within about ten seconds; stops where it cannot be asked."""
    until = time.monotonic() + _BUDGET_SECONDS
    reports = []
    with Lookup() as lookup:
        for provider_id in provider_ids:
            if time.monotonic() > until:
                break
            try:
                report = status_report(lookup.message(provider_id), at=now)
            except LookupFailedError as error:
                logger.warning(
                    "Telnyx cannot be asked about messages",
                    extra={"action": "watchdog_failed", "error": error.code},
                )
                break
            if report is not None and report.provider_id == provider_id:
                reports.append(report)
    return reports


def apply(reports: Sequence[StatusReport], now: datetime) -> int:
    """Move the messages on; how many did."""
    by_provider_id = {report.provider_id: report for report in reports}
    if not by_provider_id:
        return 0
    with message_changes(now) as changes:
        before: dict[Message, str] = {}
        for row in Message.objects.filter(provider_id__in=by_provider_id).locked():
            report = by_provider_id[row.provider_id or ""]
            if supersedes(report, row):
                before[row] = row.status
                move(row, report, now)
        if before:
            Message.objects.all().write(list(before), PROGRESS_FIELDS)
        for row, previous in before.items():
            changes.add(row, previous=previous)
    return len(before)


def give_up_waiting(now: datetime, limit: int = 500) -> int:
    """End what the carrier never confirmed, and never will: not every carrier does."""
    silent_since = now - timedelta(seconds=conf.unconfirmed_after())
    silent = Message.objects.filter(status__in=ON_ITS_WAY, updated_at__lte=silent_since)
    if not silent.exists():
        return 0
    with message_changes(now) as changes:
        rows = list(silent.locked(skip_locked=True)[:limit])
        for row in rows:
            previous = row.status
            row.report(Status.UNCONFIRMED, None, now)
            changes.add(row, previous=previous)
        if rows:
            Message.objects.all().write(rows, PROGRESS_FIELDS)
    return len(rows)


def _next_check(message: Message, now: datetime) -> StatusCheck:
    known: StatusCheck | None = getattr(message, "status_check", None)
    times = known.times if known else 0
    pause = timedelta(seconds=conf.watchdog_after()) * 2 ** min(times, 16)
    return StatusCheck(message=message, times=times + 1, next_at=now + min(pause, _LONGEST_PAUSE))
