"""The next step of a message after one call: a pure table; see docs/message-states.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from delivery import backoff
from delivery.models import Outcome
from delivery.providers.base import SendOutcome

DEFAULT_RETRY_AFTER = 1.0
"""Seconds of a throttled sender's pause, where the provider asks for none."""
_HELD_FOR = timedelta(seconds=5)
_AFTER_FAILED_PROBE = timedelta(seconds=1)


class Step(Enum):
    ACCEPT = auto()
    RETRY = auto()
    """An attempt failed in a way that passes."""
    POSTPONE = auto()
    """Due later, for a reason that is not the message's own: no attempt is spent."""
    GIVE_UP = auto()
    """Dead, or unknown where a call may have reached the provider."""
    SUPPRESS = auto()
    """The recipient has opted out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The message before the call, and the circumstances of the call."""

    attempts: int
    ambiguous: bool
    """An earlier call of this generation had no answer."""
    finished_at: datetime
    is_probe: bool = False
    """The breaker's probe: its failure spends no attempt."""
    only_try: bool = False
    """Sent inside a request, without a second attempt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    retry_delays: Sequence[float]
    jitter: float
    rng: Callable[[], float]
    may_repeat: bool
    """The provider recognises a repeat by its key, so an ambiguous call may be made again."""


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    spent: bool
    """The call counts as an attempt."""
    ambiguous: bool
    due_at: datetime | None = None


def decide(facts: Facts, outcome: SendOutcome, policy: Policy, now: datetime) -> Decision:
    """Return the step that follows from ``outcome``."""
    kind, spent = outcome.kind, spends(outcome, is_probe=facts.is_probe)
    ambiguous = facts.ambiguous or kind == Outcome.AMBIGUOUS
    if kind == Outcome.ACCEPTED:
        return Decision(Step.ACCEPT, spent, ambiguous=False)
    if kind == Outcome.PERMANENT:
        # The provider's answer to the same key settles an earlier lost answer. A proxy's does not.
        step = Step.SUPPRESS if outcome.opted_out else Step.GIVE_UP
        return Decision(step, spent, facts.ambiguous and not outcome.from_provider)
    if facts.only_try or outcome.final:
        return Decision(Step.GIVE_UP, spent, ambiguous)
    if kind == Outcome.AMBIGUOUS and not policy.may_repeat:
        # Double send: without a key the provider would take the repeat as a new text.
        return Decision(Step.GIVE_UP, spent, ambiguous)
    if kind == Outcome.THROTTLED:
        pause = timedelta(seconds=outcome.retry_after or DEFAULT_RETRY_AFTER)
        return Decision(Step.POSTPONE, spent, ambiguous, facts.finished_at + pause)
    if kind == Outcome.CONFIGURATION:
        if outcome.hold:
            return Decision(Step.POSTPONE, spent, ambiguous, now + _HELD_FOR)
        return Decision(Step.GIVE_UP, spent, ambiguous)
    if not spent:
        return Decision(Step.POSTPONE, spent, ambiguous, facts.finished_at + _AFTER_FAILED_PROBE)
    due_at = backoff.next_attempt(
        facts.attempts + 1,
        facts.finished_at,
        delays=policy.retry_delays,
        jitter=policy.jitter,
        rng=policy.rng,
    )
    return Decision(Step.RETRY if due_at else Step.GIVE_UP, spent, ambiguous, due_at)


def spends(outcome: SendOutcome, *, is_probe: bool = False) -> bool:
    """Return whether the call counts as an attempt: a throttled, held or failed probe call does not."""
    held_back = outcome.kind == Outcome.THROTTLED or (
        outcome.kind == Outcome.CONFIGURATION and outcome.hold
    )
    return not held_back and not (is_probe and outcome.provider_failed)
