"""Messages that Telnyx has, or may have, and that no webhook finished: ask what became of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from delivery import conf
from delivery.changes import message_changes
from delivery.models import Message, StatusCheck
from delivery.models.queue import MessageQuerySet
from delivery.providers.telnyx.lookup import Lookup, LookupFailedError
from delivery.statuses import ON_ITS_WAY, Status
from delivery.tracking import stops
from delivery.tracking.lost import Lost
from delivery.tracking.order import supersedes
from delivery.tracking.progress import PROGRESS_FIELDS, move
from delivery.tracking.report import StatusReport, status_report

logger = logging.getLogger("delivery")

_BUDGET_SECONDS = 10.0
_LONGEST_PAUSE = timedelta(hours=6)
_LOOKED_FOR = timedelta(days=2)
"""Telnyx shows no text before it has left its queue, which takes four hours at most."""


@dataclass(frozen=True, slots=True)
class Known:
    """A text that Telnyx has given an id."""

    message_id: int
    provider_id: str

    def ask(self, lookup: Lookup, now: datetime) -> StatusReport | None:
        report = status_report(lookup.message(self.provider_id), at=now)
        return report if report and report.provider_id == self.provider_id else None

    def belongs_to(self, row: Message) -> bool:
        return row.provider_id == self.provider_id


Question = Known | Lost


def reconcile(now: datetime, limit: int = 20) -> int:
    """Ask about up to ``limit`` messages, and end those that nobody will confirm; how many moved.

    Waits for Telnyx; a worker calls :func:`delivery.tracking.reconcile`, which does not.
    """
    return apply(ask(take_overdue(now, limit), now), now) + give_up_waiting(now)


def take_overdue(now: datetime, limit: int) -> list[Question]:
    """What to ask about; each message is asked about later and later."""
    quiet_since = now - timedelta(seconds=conf.watchdog_after())
    lost = list(
        _unasked(now).filter(
            status=Status.UNKNOWN,
            dead_since__lte=quiet_since,
            dead_since__gt=now - _LOOKED_FOR,
            discarded_at__isnull=True,
        ).order_by("dead_since")[: max(1, limit // 4)]
    )  # fmt: skip
    known = list(
        _unasked(now).filter(
            status__in=ON_ITS_WAY, updated_at__lte=quiet_since, provider_id__isnull=False
        ).order_by("updated_at")[: limit - len(lost)]
    )  # fmt: skip
    StatusCheck.objects.bulk_create(
        [_next_check(row, now) for row in lost + known],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["times", "next_at"],
    )
    questions: list[Question] = [Lost.of(row) for row in lost]
    return questions + [Known(row.pk, row.provider_id) for row in known if row.provider_id]


def ask(questions: Sequence[Question], now: datetime) -> list[tuple[Question, StatusReport]]:
    """What Telnyx says of each, within about ten seconds; stops where it cannot be asked."""
    until = time.monotonic() + _BUDGET_SECONDS
    answers = []
    with Lookup() as lookup:
        for question in questions:
            if time.monotonic() > until:
                break
            try:
                report = question.ask(lookup, now)
            except LookupFailedError as error:
                logger.warning(
                    "Telnyx cannot be asked about messages",
                    extra={"action": "watchdog_failed", "error": error.code},
                )
                break
            if report is not None:
                answers.append((question, report))
    return answers


def apply(answers: Sequence[tuple[Question, StatusReport]], now: datetime) -> int:
    """Move the messages on; how many did."""
    by_id = {question.message_id: (question, report) for question, report in answers}
    if not by_id:
        return 0
    with message_changes(now) as changes:
        before: dict[Message, str] = {}
        told = []
        for row in Message.objects.filter(pk__in=by_id).locked():
            question, report = by_id[row.pk]
            if question.belongs_to(row):
                told.append((row, report))
            if question.belongs_to(row) and supersedes(report, row) and not _taken(report, row):
                before[row] = row.status
                move(row, report, now)
        if before:
            Message.objects.all().write(list(before), PROGRESS_FIELDS)
        for row, previous in before.items():
            changes.add(row, previous=previous)
        stops.note(told, now)
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


def _unasked(now: datetime) -> MessageQuerySet:
    """Messages that were not asked about a moment ago."""
    return Message.objects.filter(
        Q(status_check__isnull=True) | Q(status_check__next_at__lte=now)
    ).select_related("status_check")


def _taken(report: StatusReport, row: Message) -> bool:
    """Another message has this id of Telnyx's: whatever that means, it is not to be this one."""
    if row.provider_id == report.provider_id:
        return False
    return Message.objects.filter(provider_id=report.provider_id).exclude(pk=row.pk).exists()
