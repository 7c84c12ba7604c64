"""Writing down what calls came to.

A result whose lease is over matches no row, unless it tells what nobody else can: that the text was taken.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from delivery import conf, opt_outs
from delivery.backoff import next_attempt
from delivery.changes import message_changes
from delivery.limits import holds, pacing
from delivery.limits.breaker import Permit
from delivery.models import Attempt, Message, Outcome
from delivery.models.transitions import TRANSITION_FIELDS, Failure
from delivery.providers.base import Verdict
from delivery.statuses import UNFINISHED, Status

logger = logging.getLogger("delivery")

_PAUSE_WHERE_NONE_IS_ASKED = 1.0
_HELD_FOR = timedelta(seconds=5)
_PROBE_FAILED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Result:
    """One call: the row as it was claimed, and what came of it."""

    message: Message
    verdict: Verdict
    started_at: datetime
    seconds: float
    permit: Permit | None = None
    """Under which the breaker let it go; the failure of a probe spends no attempt."""
    only_try: bool = False
    """Sent inside a request: there is no second attempt."""

    @property
    def is_probe(self) -> bool:
        return self.permit is not None and bool(self.permit.probe)

    @property
    def finished_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.seconds)


def settle(results: Sequence[Result], now: datetime) -> None:
    """Write the outcome of each call, in one transaction. Doing it again changes nothing."""
    for some in _each_text_once(results):
        try:
            _settle(some, now)
        except IntegrityError:
            # A provider that gives one id to two messages: find which, and keep the others.
            for result in some:
                _settle_alone(result, now)
    for result in results:
        _heed(result, now)


def _each_text_once(results: Sequence[Result]) -> list[list[Result]]:
    """All of them at once but for a text that was taken twice: only one of its claims stands."""
    rounds: list[dict[int, Result]] = []
    for result in results:
        free = (found for found in rounds if result.message.pk not in found)
        found = next(free, None)
        if found is None:
            rounds.append(found := {})
        found[result.message.pk] = result
    return [list(found.values()) for found in rounds]


def _settle(results: Sequence[Result], now: datetime) -> None:
    by_id = {result.message.pk: result for result in results}
    with message_changes(now) as changes:
        mine, others = _still_held(by_id)
        answered = [row for row in others if _was_overtaken(row, by_id[row.pk])]
        # In one order for all workers: two that note the same opt-outs must not wait for each other.
        for row in sorted(mine, key=lambda row: row.to_number):
            _move(row, by_id[row.pk], now)
        found = [row for row in others if _was_in_doubt(row, by_id[row.pk])]
        for row in answered + found:
            _count(row, by_id[row.pk].verdict)
            # A lost lease had it tried by others meanwhile, who may have spent what there is.
            row.attempts = min(row.attempts, 1 + len(conf.retry_delays()))
        for row in found:
            _accept(row, by_id[row.pk].verdict, now)
        if mine or found:
            Message.objects.write(mine + found, TRANSITION_FIELDS)
        if answered:
            Message.objects.write(answered, ["attempts", "calls"])
        Attempt.objects.bulk_create(
            [_attempt(row, by_id[row.pk]) for row in mine + answered + found]
        )
        for row in mine:
            if row.status != row.claimed_from or row.status == Status.RETRYING:
                changes.add(row, previous=row.claimed_from)
        for row in found:
            changes.add(row, previous=Status.UNKNOWN)


def _settle_alone(result: Result, now: datetime) -> None:
    try:
        _settle([result], now)
    except IntegrityError:
        doubtful = Verdict(
            outcome=Outcome.AMBIGUOUS,
            http_status=result.verdict.http_status,
            code="id_given_twice",
            title="Telnyx gave an id that another message has",
            final=True,
        )
        logger.exception(
            "The provider gave one id to two messages",
            extra={"action": "id_given_twice", "message_id": result.message.pk},
        )
        _settle([Result(result.message, doubtful, result.started_at, result.seconds)], now)


def _still_held(by_id: Mapping[int, Result]) -> tuple[list[Message], list[Message]]:
    """The rows whose lease stands, as they were claimed, and the rest as they are now; all locked.

    Only a row's holder changes what a transition may set, so those need not be read again. A token
    says that the row is being sent, too: a constraint lets no other row have one.
    """
    tokens = Message.objects.filter(pk__in=by_id).locked().values_list("pk", "lease_token")
    claimed = {
        pk: by_id[pk].message for pk, token in tokens if token == by_id[pk].message.lease_token
    }
    # Copies: should this transaction fail, each result is settled alone, from the same row.
    held = [copy(message) for message in claimed.values()]
    lost = by_id.keys() - claimed.keys()
    return held, list(Message.objects.filter(pk__in=lost).order_by("pk")) if lost else []


def _was_overtaken(row: Message, result: Result) -> bool:
    """A webhook told of this very call before its answer was read."""
    return (
        row.status not in UNFINISHED
        and row.generation == result.message.generation
        and row.provider_id is not None
        and row.provider_id == result.verdict.provider_id
        and not Attempt.objects.filter(message=row, started_at=result.started_at).exists()
    )


def _was_in_doubt(row: Message, result: Result) -> bool:
    """It was given up because nobody knew whether it was taken, and this answer says so at last."""
    return (
        row.status == Status.UNKNOWN
        and row.generation == result.message.generation
        and result.verdict.outcome == Outcome.ACCEPTED
    )


def _move(row: Message, result: Result, now: datetime) -> None:
    """The whole table of what follows from what."""
    verdict = result.verdict
    failure = Failure(verdict.code, verdict.title, verdict.error_class)
    spent = _count(row, verdict, free=result.is_probe)
    if verdict.outcome == Outcome.AMBIGUOUS:
        row.ambiguous = True
    if verdict.outcome == Outcome.ACCEPTED:
        _accept(row, verdict, now)
    elif verdict.outcome == Outcome.PERMANENT:
        _refuse(row, result, failure, now)
    elif result.only_try or verdict.final:
        row.give_up(failure, now)
    elif verdict.outcome == Outcome.THROTTLED:
        pause = verdict.retry_after or _PAUSE_WHERE_NONE_IS_ASKED
        row.postpone(result.finished_at + timedelta(seconds=pause), now)
    elif verdict.outcome == Outcome.CONFIGURATION:
        if verdict.hold:
            row.postpone(now + _HELD_FOR, now)
        else:
            row.give_up(failure, now)
    elif not spent:
        row.postpone(result.finished_at + _PROBE_FAILED, now)
    else:
        _try_again_or_give_up(row, result.finished_at, failure, now)


def _accept(row: Message, verdict: Verdict, now: datetime) -> None:
    row.accept(verdict.provider_id, now)
    row.keep_billed(verdict.billed.parts, verdict.billed.encoding)


def _refuse(row: Message, result: Result, failure: Failure, now: datetime) -> None:
    verdict = result.verdict
    # An answer to the same key settles what an earlier, lost one had left open: if it is Telnyx's.
    row.ambiguous = row.ambiguous and not verdict.from_provider
    if verdict.opted_out:
        opt_outs.refused(row.tenant_id, row.to_number, at=result.finished_at, now=now)
        row.suppress(failure, now)
    else:
        row.give_up(failure, now)


def _try_again_or_give_up(
    row: Message, finished_at: datetime, failure: Failure, now: datetime
) -> None:
    when = next_attempt(
        row.attempts,
        finished_at,
        delays=conf.retry_delays(),
        jitter=conf.jitter(),
        rng=random.random,
    )
    if when is None:
        row.give_up(failure, now)
    else:
        row.retry_at(when, failure, now)


def _count(row: Message, verdict: Verdict, *, free: bool = False) -> bool:
    """Count the call; True where it spent an attempt."""
    row.calls += 1
    held_back = verdict.outcome == Outcome.THROTTLED or (
        verdict.outcome == Outcome.CONFIGURATION and verdict.hold
    )
    spent = not held_back and not (free and verdict.provider_failed)
    row.attempts += spent
    return spent


def _attempt(row: Message, result: Result) -> Attempt:
    verdict = result.verdict
    return Attempt(
        message=row,
        number=row.calls,
        generation=row.generation,
        started_at=result.started_at,
        duration_ms=max(0, round(result.seconds * 1000)),
        outcome=verdict.outcome,
        http_status=verdict.http_status,
        code=verdict.code[:40],
        detail=(verdict.detail or verdict.title)[:500],
    )


def _heed(result: Result, now: datetime) -> None:
    """What one answer says about more than its own message."""
    verdict, pause = result.verdict, result.verdict.retry_after
    if verdict.hold:
        until = now + timedelta(seconds=pause) if pause else None
        holds.hold(verdict.code, verdict.title, until=until, now=now)
    elif verdict.outcome == Outcome.THROTTLED and verdict.whole_account:
        pacing.freeze_account(pause or _PAUSE_WHERE_NONE_IS_ASKED)
    elif verdict.outcome == Outcome.THROTTLED:
        pacing.freeze_sender(result.message.from_number, pause or _PAUSE_WHERE_NONE_IS_ASKED)
    elif verdict.outcome == Outcome.CONFIGURATION:
        if pause:
            pacing.freeze_sender(result.message.from_number, pause)
        logger.error(
            "The sending number cannot send",
            extra={
                "action": "sender_refused",
                "message_id": result.message.pk,
                "code": verdict.code,
            },
        )
