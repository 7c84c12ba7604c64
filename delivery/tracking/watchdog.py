"""Messages that a provider has, or may have, and that no webhook finished: look them up."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DataError, IntegrityError
from django.db.models import Q

from delivery import conf
from delivery.backoff import doubled
from delivery.changes import message_changes
from delivery.models import Attempt, Direction, Message, StatusCheck
from delivery.models.queue import MessageQuerySet
from delivery.process import PerProcess
from delivery.providers import registry
from delivery.providers.base import (
    DeliveryReport,
    LookUpByContent,
    LookUpById,
    LookUpFailedError,
    Provider,
    Question,
)
from delivery.references import callback_url, reference
from delivery.statuses import ON_ITS_WAY, Status
from delivery.tracking.status import REPORT_FIELDS, move, note_opt_outs, supersedes

logger = logging.getLogger("delivery")

_EVERY = timedelta(seconds=5)
_BUDGET_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 6 * 3600.0
_LOOKED_FOR = timedelta(days=2)
"""A provider may not show a message before it has left the provider's queue, after hours at most."""
_CLOCKS_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class LookUp:
    """A question about one message. Asking it needs no database."""

    message_id: int
    generation: int
    provider: str
    question: Question

    def still_applies_to(self, row: Message) -> bool:
        """Return whether ``row`` is unchanged since the question."""
        if isinstance(self.question, LookUpById):
            return row.provider_id == self.question.provider_id
        return row.status == Status.UNKNOWN and row.generation == self.generation


Answer = tuple[LookUp, DeliveryReport]


class Watchdog:
    """Asks providers in a thread that never uses the database, at most one round at a time.

    After a failed round its messages are asked about again, later.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="delivery-watchdog")
        self._round: Future[list[Answer]] | None = None
        self._next = datetime.min.replace(tzinfo=UTC)

    def tick(self, now: datetime, limit: int = 20) -> int:
        """Write the answers of the last round and begin the next, without waiting.

        Return the number of changed messages.
        """
        if now < self._next:
            return 0
        self._next = now + _EVERY
        moved = give_up_waiting(now)
        if self._round is not None:
            if not self._round.done():
                return moved
            ended, self._round = self._round, None
            moved += _finish(ended, now)
        questions = take_overdue(now, limit)
        if questions:
            self._round = self._thread.submit(ask, questions, now)
        return moved


_watchdog = PerProcess(Watchdog)


def reconcile(now: datetime, limit: int = 20) -> int:
    """Ask about up to ``limit`` silent messages, and end messages that will never be confirmed.

    A worker calls this; it does not wait for a provider, a later call writes the answers. It asks at
    most every five seconds, and about each message less and less often. Return the number of changed
    messages.
    """
    return _watchdog.get().tick(now, limit)


def reconcile_now(now: datetime, limit: int = 20) -> int:
    """Ask and wait for the providers' answers. Return the number of changed messages."""
    return apply(ask(take_overdue(now, limit), now), now) + give_up_waiting(now)


def take_overdue(now: datetime, limit: int) -> list[LookUp]:
    """Return the due questions; the pauses between questions about a message grow."""
    quiet_since = now - timedelta(seconds=conf.watchdog_after())
    by_content, by_id = _able("look_up_by_content"), _able("look_up_by_id")
    lost = list(
        _unasked(now).watched(Status.UNKNOWN).filter(
            provider__in=by_content,
            # No earlier than ``dead_since``: the bound for the index.
            updated_at__gt=now - _LOOKED_FOR,
            dead_since__lte=quiet_since,
            dead_since__gt=now - _LOOKED_FOR,
            discarded_at__isnull=True,
        ).order_by("dead_since")[: max(1, limit // 4)]
    )  # fmt: skip
    known = list(
        _unasked(now).watched(*ON_ITS_WAY).filter(
            provider__in=by_id,
            updated_at__lte=quiet_since,
            provider_id__isnull=False,
        ).order_by("updated_at")[: limit - len(lost)]
    )  # fmt: skip
    StatusCheck.objects.bulk_create(
        [_next_check(row, now) for row in lost + known],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["times", "next_at"],
    )
    return [_look_up(row, by_content_of(row)) for row in lost] + [
        _look_up(row, LookUpById(row.provider_id)) for row in known if row.provider_id
    ]


def by_content_of(message: Message) -> LookUpByContent:
    """Return the question about a message with a lost answer."""
    since, until = _time_of_calls(message)
    alike = Message.objects.filter(
        direction=Direction.OUTBOUND,
        provider=message.provider,
        to_number=message.to_number,
        from_number=message.from_number,
    ).exclude(pk=message.pk)
    taken = alike.filter(provider_id__isnull=False, updated_at__gte=since)
    twins = alike.filter(provider_id__isnull=True, calls__gt=0, text=message.text)
    return LookUpByContent(
        reference=reference(message.pk),
        callback_url=callback_url(message),
        to_number=message.to_number,
        from_number=message.from_number,
        text=message.text,
        parts=message.parts,
        since=since,
        until=until,
        others=frozenset(filter(None, taken.values_list("provider_id", flat=True))),
        one_of_many=twins.exists(),
    )


def ask(questions: Sequence[LookUp], now: datetime) -> list[Answer]:
    """Return the answers, after about ten seconds at most. After a failure a provider is skipped."""
    until = time.monotonic() + _BUDGET_SECONDS
    answers: list[Answer] = []
    providers: dict[str, Provider] = {}
    failed: set[str] = set()
    try:
        for look_up in questions:
            alias = look_up.provider
            if time.monotonic() > until:
                break
            if alias in failed:
                continue
            if alias not in providers:
                providers[alias] = registry.connect(alias)
            try:
                report = providers[alias].look_up(look_up.question, now)
            except LookUpFailedError as error:
                failed.add(alias)
                logger.warning(
                    "Looking up messages at a provider failed",
                    extra={"action": "watchdog_failed", "provider": alias, "error": error.code},
                )
                continue
            if report is not None:
                answers.append((look_up, report))
    finally:
        for provider in providers.values():
            provider.close()
    return answers


def apply(answers: Sequence[Answer], now: datetime) -> int:
    """Apply the answers, and return the number of changed messages."""
    by_pk = {look_up.message_id: (look_up, report) for look_up, report in answers}
    if not by_pk:
        return 0
    with message_changes(now) as changes:
        before: dict[Message, str] = {}
        matched = []
        for row in Message.objects.filter(pk__in=by_pk).locked():
            look_up, report = by_pk[row.pk]
            if not look_up.still_applies_to(row):
                continue
            matched.append((row, report))
            if supersedes(report, row) and not _is_id_of_another(report, row):
                before[row] = row.status
                move(row, report, now)
        if before:
            Message.objects.all().write(list(before), REPORT_FIELDS)
        for row, previous in before.items():
            changes.add(row, previous=previous)
        note_opt_outs(matched, now)
    return len(before)


def give_up_waiting(now: datetime, limit: int = 500) -> int:
    """End messages that the carrier never confirmed: not every carrier confirms."""
    silent_since = now - timedelta(seconds=conf.unconfirmed_after())
    silent = Message.objects.watched(*ON_ITS_WAY).filter(updated_at__lte=silent_since)
    if not silent.exists():
        return 0
    with message_changes(now) as changes:
        rows = list(silent.locked(skip_locked=True)[:limit])
        for row in rows:
            previous = row.status
            row.report(Status.UNCONFIRMED, None, now)
            changes.add(row, previous=previous)
        if rows:
            Message.objects.all().write(rows, REPORT_FIELDS)
    return len(rows)


def _finish(ended: Future[list[Answer]], now: datetime) -> int:
    error = ended.exception()
    if error is None:
        try:
            return apply(ended.result(), now)
        except (DataError, IntegrityError) as refused:
            error = refused
    # Omit the error's text: it may quote the provider's answer, or the row.
    logger.error(
        "A round of look-ups failed",
        extra={"action": "watchdog_failed", "error": type(error).__name__},
    )
    return 0


def _able(capability: str) -> list[str]:
    """Return the aliases of the providers with this capability."""
    return [
        alias
        for alias in registry.aliases()
        if getattr(registry.get(alias).capabilities, capability)
    ]


def _look_up(row: Message, question: Question) -> LookUp:
    return LookUp(row.pk, row.generation, row.provider, question)


def _time_of_calls(message: Message) -> tuple[datetime, datetime]:
    """Return when the calls of this generation began and ended, with a margin for clocks."""
    calls = Attempt.objects.filter(message=message, generation=message.generation)
    moments = list(calls.values_list("started_at", "duration_ms"))
    ended = message.dead_since or message.updated_at
    begin = min((began for began, _ in moments), default=message.created_at)
    end = max((began + timedelta(milliseconds=ms) for began, ms in moments), default=ended)
    return begin - _CLOCKS_DIFFER, end + _CLOCKS_DIFFER


def _next_check(message: Message, now: datetime) -> StatusCheck:
    known: StatusCheck | None = getattr(message, "status_check", None)
    times = known.times if known else 0
    pause = doubled(conf.watchdog_after(), times, longest=_LONGEST_PAUSE_SECONDS)
    return StatusCheck(message=message, times=times + 1, next_at=now + timedelta(seconds=pause))


def _unasked(now: datetime) -> MessageQuerySet:
    """Return the messages without a recent question."""
    return Message.objects.filter(
        Q(status_check__isnull=True) | Q(status_check__next_at__lte=now)
    ).select_related("status_check")


def _is_id_of_another(report: DeliveryReport, row: Message) -> bool:
    """Return whether another message has this id: then the report must not move ``row``."""
    if row.provider_id == report.provider_id:
        return False
    taken = Message.objects.filter(provider=row.provider, provider_id=report.provider_id)
    return taken.exclude(pk=row.pk).exists()
