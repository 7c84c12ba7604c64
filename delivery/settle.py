"""Writes the results of calls.

A result with an expired lease matches no row, except that an acceptance always counts: only this result
tells that the provider has the text.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError

from delivery import conf, opt_outs, outcome_lines
from delivery.changes import message_changes
from delivery.decide import DEFAULT_RETRY_AFTER, Decision, Facts, Policy, Step, decide, spends
from delivery.limits import holds, pacing
from delivery.limits.breaker import Permit
from delivery.models import Attempt, Message, Outcome, bulk_write
from delivery.models.columns import duplicate
from delivery.models.transitions import TRANSITION_FIELDS, Failure
from delivery.providers import registry
from delivery.providers.base import SendOutcome
from delivery.signals import calls_settled
from delivery.statuses import UNFINISHED, Status

logger = logging.getLogger("delivery")


@dataclass(frozen=True, slots=True)
class Result:
    """A call: the claimed message and the outcome."""

    message: Message
    outcome: SendOutcome
    started_at: datetime
    seconds: float
    permit: Permit | None = None
    """The breaker's permit for the call; the failure of a probe spends no attempt."""
    only_try: bool = False
    """Sent inside a request, without a second attempt."""

    @property
    def is_probe(self) -> bool:
        return self.permit is not None and bool(self.permit.probe)

    @property
    def finished_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.seconds)


def settle(results: Sequence[Result], now: datetime) -> None:
    """Write the outcome of each call, in one transaction. Repeating it changes nothing."""
    for batch in _split_duplicates(results):
        try:
            _settle(batch, now)
        except IntegrityError:
            # A provider gave one id to two messages: write one by one to find which.
            for result in batch:
                _settle_alone(result, now)
    for result in results:
        _apply_account_limits(result, now)
    calls_settled.send_robust(sender=Result, results=results)


def _split_duplicates(results: Sequence[Result]) -> list[list[Result]]:
    """Split into batches with at most one result per message.

    A worker can hold two if its lease expired and it claimed the message again.
    """
    batches: list[dict[int, Result]] = []
    for result in results:
        free = (batch for batch in batches if result.message.pk not in batch)
        batch = next(free, None)
        if batch is None:
            batches.append(batch := {})
        batch[result.message.pk] = result
    return [list(batch.values()) for batch in batches]


def _settle(results: Sequence[Result], now: datetime) -> None:
    by_id = {result.message.pk: result for result in results}
    policies = {alias: _policy(alias) for alias in {result.message.provider for result in results}}
    with message_changes(now) as changes:
        held, lost = _split_by_lease(by_id)
        overtaken = [row for row in lost if _was_overtaken(row, by_id[row.pk])]
        # All workers use one order, so that two that write the same opt-outs cannot deadlock.
        for row in sorted(held, key=lambda row: row.to_number):
            _apply_outcome(row, by_id[row.pk], policies[row.provider], now)
        found = [row for row in lost if _is_found(row, by_id[row.pk])]
        for row in overtaken + found:
            row.calls += 1
            row.attempts += spends(by_id[row.pk].outcome)
            # Other workers tried it after the lease expired, and may have used all attempts.
            row.attempts = min(row.attempts, 1 + len(conf.retry_delays()))
        for row in found:
            _accept(row, by_id[row.pk].outcome, now)
        if held or found:
            Message.objects.write(held + found, TRANSITION_FIELDS)
        if overtaken:
            Message.objects.write(overtaken, ["attempts", "calls"])
        called = held + overtaken + found
        attempts = [_attempt(row, by_id[row.pk]) for row in called]
        bulk_write.insert(attempts, using=Attempt.objects.db)
        outcome_lines.on_sent(list(zip(called, attempts, strict=True)))
        for row in held:
            if row.status != row.claimed_from or row.status == Status.RETRYING:
                changes.add(row, previous=row.claimed_from)
        for row in found:
            changes.add(row, previous=Status.UNKNOWN)


def _policy(alias: str) -> Policy:
    return Policy(
        retry_delays=conf.retry_delays(),
        jitter=conf.jitter(),
        rng=random.random,
        may_repeat=registry.get(alias).capabilities.key_memory is not None,
    )


def _settle_alone(result: Result, now: datetime) -> None:
    try:
        _settle([result], now)
    except IntegrityError:
        ambiguous = SendOutcome(
            kind=Outcome.AMBIGUOUS,
            http_status=result.outcome.http_status,
            code="id_given_twice",
            title="The provider gave an id that another message has",
            final=True,
        )
        logger.error(
            "The provider gave one id to two messages",
            extra={"action": "id_given_twice", "message_id": result.message.pk},
        )
        _settle([replace(result, outcome=ambiguous, permit=None, only_try=False)], now)


def _split_by_lease(by_id: Mapping[int, Result]) -> tuple[list[Message], list[Message]]:
    """Lock all rows. Return the claimed objects with a valid lease, and the present rows of expired ones.

    Only a row's holder changes the fields of a transition, so the held rows need not be read again.
    A token also says that the row is being sent: a constraint forbids it for any other status.
    """
    tokens = Message.objects.filter(pk__in=by_id).locked().values_list("pk", "lease_token")
    claimed = {
        pk: by_id[pk].message for pk, token in tokens if token == by_id[pk].message.lease_token
    }
    # Copies: if this transaction fails, each result is settled alone, from the same row.
    held = [duplicate(message) for message in claimed.values()]
    lost = by_id.keys() - claimed.keys()
    return held, list(Message.objects.filter(pk__in=lost).order_by("pk")) if lost else []


def _was_overtaken(row: Message, result: Result) -> bool:
    """Return whether a webhook reported this very call before its answer was read."""
    return (
        row.status not in UNFINISHED
        and row.generation == result.message.generation
        and row.provider_id is not None
        and (row.provider, row.provider_id) == (result.message.provider, result.outcome.provider_id)
        and not Attempt.objects.filter(message=row, started_at=result.started_at).exists()
    )


def _is_found(row: Message, result: Result) -> bool:
    """Return whether this late answer settles a message that was given up as unknown."""
    return (
        row.status == Status.UNKNOWN
        and row.generation == result.message.generation
        and result.outcome.kind == Outcome.ACCEPTED
    )


def _apply_outcome(row: Message, result: Result, policy: Policy, now: datetime) -> None:
    """Apply one API outcome to the message."""
    facts = Facts(
        attempts=row.attempts,
        ambiguous=row.ambiguous,
        finished_at=result.finished_at,
        is_probe=result.is_probe,
        only_try=result.only_try,
    )
    decision = decide(facts, result.outcome, policy, now)
    row.calls += 1
    row.attempts += decision.spent
    row.ambiguous = decision.ambiguous
    if result.outcome.opted_out:
        opt_outs.refused(row.tenant_id, row.to_number, at=result.finished_at, now=now)
    _take(row, decision, result.outcome, now)


def _take(row: Message, decision: Decision, outcome: SendOutcome, now: datetime) -> None:
    if decision.step is Step.ACCEPT:
        return _accept(row, outcome, now)
    failure = Failure(outcome.code, outcome.title, outcome.error_class)
    if decision.step is Step.RETRY and decision.due_at is not None:
        return row.retry_at(decision.due_at, failure, now)
    if decision.step is Step.POSTPONE and decision.due_at is not None:
        return row.postpone(decision.due_at, now)
    if decision.step is Step.SUPPRESS:
        return row.suppress(failure, now)
    return row.give_up(failure, now)


def _accept(row: Message, outcome: SendOutcome, now: datetime) -> None:
    row.accept(outcome.provider_id, now)
    row.keep_billed(outcome.billed.parts, outcome.billed.encoding)


def _attempt(row: Message, result: Result) -> Attempt:
    outcome = result.outcome
    return Attempt(
        message=row,
        number=row.calls,
        generation=row.generation,
        started_at=result.started_at,
        duration_ms=max(0, round(result.seconds * 1000)),
        outcome=outcome.kind,
        http_status=outcome.http_status,
        code=outcome.code[:40],
        detail=(outcome.detail or outcome.title)[:500],
    )


def _apply_account_limits(result: Result, now: datetime) -> None:
    """Apply holds and rate limits that concern the account or the sending number."""
    outcome, pause = result.outcome, result.outcome.retry_after
    if not (outcome.hold or outcome.kind in {Outcome.THROTTLED, Outcome.CONFIGURATION}):
        return
    account = registry.account(result.message.provider)
    if outcome.hold:
        until = now + timedelta(seconds=pause) if pause else None
        holds.hold(account, outcome.code, outcome.title, until=until, now=now)
    elif outcome.kind == Outcome.THROTTLED and outcome.whole_account:
        pacing.freeze_account(account, pause or DEFAULT_RETRY_AFTER)
    elif outcome.kind == Outcome.THROTTLED:
        number = result.message.from_number
        pacing.freeze_sender(account, number, pause or DEFAULT_RETRY_AFTER)
    else:
        if pause:
            pacing.freeze_sender(account, result.message.from_number, pause)
        logger.error(
            "The sending number cannot send",
            extra={
                "action": "sender_refused",
                "message_id": result.message.pk,
                "code": outcome.code,
            },
        )
