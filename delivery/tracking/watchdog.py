"""Messages that Telnyx has and that no webhook finished: ask what became of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from delivery import conf
from delivery.changes import message_changes
from delivery.models import Message, StatusCheck
from delivery.statuses import ON_ITS_WAY, Status
from delivery.telnyx.lookup import Lookup, LookupFailedError
from delivery.tracking.order import supersedes
from delivery.tracking.progress import PROGRESS_FIELDS, move
from delivery.tracking.report import StatusReport, status_report

logger = logging.getLogger("delivery")

_BUDGET_SECONDS = 3.0
_LONGEST_PAUSE = timedelta(hours=6)


def reconcile(now: datetime, limit: int = 20) -> int:
    """Ask about up to ``limit`` messages and end those that nobody will confirm; how many moved.

    Takes at most about three seconds and one call's timeout. A provider that does not answer is
    left alone: each message is asked about later and later.
    """
    return _ask(_overdue(now, limit), now) + _give_up_waiting(now)


def _overdue(now: datetime, limit: int) -> list[Message]:
    quiet_since = now - timedelta(seconds=conf.watchdog_after())
    rows = Message.objects.filter(
        Q(status_check__isnull=True) | Q(status_check__next_at__lte=now),
        status__in=ON_ITS_WAY,
        updated_at__lte=quiet_since,
        provider_id__isnull=False,
    ).order_by("updated_at")[:limit]
    return list(rows)


def _ask(messages: Sequence[Message], now: datetime) -> int:
    if not messages:
        return 0
    _note(messages, now)
    until = time.monotonic() + _BUDGET_SECONDS
    reports = []
    with Lookup() as lookup:
        for message in messages:
            if time.monotonic() > until:
                break
            try:
                payload = lookup.message(message.provider_id or "")
            except LookupFailedError as error:
                logger.warning(
                    "Telnyx cannot be asked about messages",
                    extra={"action": "watchdog_failed", "error": error.code},
                )
                break
            report = status_report(payload, at=now)
            if report is not None:
                reports.append(report)
    return _apply(reports, now)


def _note(messages: Sequence[Message], now: datetime) -> None:
    """Before asking, so that no other worker asks too."""
    first = now + timedelta(seconds=conf.watchdog_after())
    StatusCheck.objects.bulk_create(
        [StatusCheck(message=message, next_at=now) for message in messages], ignore_conflicts=True
    )
    for message in messages:
        check = StatusCheck.objects.get(message=message)
        pause = min((first - now) * 2 ** min(check.times, 16), _LONGEST_PAUSE)
        StatusCheck.objects.filter(message=message).update(
            times=F("times") + 1, next_at=now + pause
        )


def _apply(reports: Sequence[StatusReport], now: datetime) -> int:
    by_provider_id = {report.provider_id: report for report in reports}
    if not by_provider_id:
        return 0
    with message_changes(now) as changes:
        rows = Message.objects.filter(provider_id__in=by_provider_id).locked()
        before = {}
        for row in rows:
            report = by_provider_id[row.provider_id or ""]
            if supersedes(report, row):
                before[row] = row.status
                move(row, report, now)
        if before:
            Message.objects.all().write(list(before), PROGRESS_FIELDS)
        for row, previous in before.items():
            changes.add(row, previous=previous)
    return len(before)


def _give_up_waiting(now: datetime, limit: int = 500) -> int:
    """The carrier never confirmed, and never will: not every carrier does."""
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
