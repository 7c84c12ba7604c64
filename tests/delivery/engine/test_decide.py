"""The table of next steps, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.decide import Facts, Policy, Step, decide
from delivery.models import Outcome
from delivery.providers.base import SendOutcome

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ENDED = NOW - timedelta(seconds=2)
KEYED = Policy(retry_delays=(1, 2, 4), jitter=0, rng=lambda: 0.0, may_repeat=True)
KEYLESS = Policy(retry_delays=(1, 2, 4), jitter=0, rng=lambda: 0.0, may_repeat=False)


def facts(**over: Any) -> Facts:
    values: dict[str, Any] = {"attempts": 0, "ambiguous": False, "finished_at": ENDED, **over}
    return Facts(**values)


def answer(kind: Outcome, **over: Any) -> SendOutcome:
    return SendOutcome(kind=kind, code="c", **over)


LOST = answer(Outcome.AMBIGUOUS)
TABLE: list[tuple[SendOutcome, Facts, Step, bool, float | None]] = [
    # outcome, facts, step, whether an attempt is spent, seconds after the end of the call
    (answer(Outcome.ACCEPTED), facts(), Step.ACCEPT, True, None),
    (answer(Outcome.PERMANENT), facts(), Step.GIVE_UP, True, None),
    (answer(Outcome.PERMANENT, opted_out=True), facts(), Step.SUPPRESS, True, None),
    (answer(Outcome.RETRYABLE), facts(), Step.RETRY, True, 1),
    (answer(Outcome.RETRYABLE), facts(attempts=2), Step.RETRY, True, 4),
    (answer(Outcome.RETRYABLE), facts(attempts=3), Step.GIVE_UP, True, None),
    (answer(Outcome.RETRYABLE), facts(is_probe=True), Step.POSTPONE, False, 1),
    (answer(Outcome.RETRYABLE), facts(only_try=True), Step.GIVE_UP, True, None),
    (LOST, facts(), Step.RETRY, True, 1),
    (LOST, facts(is_probe=True), Step.POSTPONE, False, 1),
    (answer(Outcome.AMBIGUOUS, final=True), facts(), Step.GIVE_UP, True, None),
    (answer(Outcome.THROTTLED), facts(), Step.POSTPONE, False, 1),
    (answer(Outcome.THROTTLED, retry_after=30), facts(), Step.POSTPONE, False, 30),
    (answer(Outcome.CONFIGURATION), facts(), Step.GIVE_UP, True, None),
    (answer(Outcome.CONFIGURATION, hold=True), facts(), Step.POSTPONE, False, 7),
]


@pytest.mark.parametrize(("outcome", "before", "step", "spent", "seconds"), TABLE)
def test_each_outcome_has_one_next_step(
    outcome: SendOutcome, before: Facts, step: Step, spent: bool, seconds: float | None
) -> None:
    decision = decide(before, outcome, KEYED, NOW)
    due_at = None if seconds is None else ENDED + timedelta(seconds=seconds)
    assert (decision.step, decision.spent, decision.due_at) == (step, spent, due_at)
    assert decision.ambiguous == (outcome.kind == Outcome.AMBIGUOUS)


@pytest.mark.parametrize("before", [facts(), facts(attempts=1), facts(is_probe=True)])
def test_an_ambiguous_call_is_never_repeated_without_a_key(before: Facts) -> None:
    decision = decide(before, LOST, KEYLESS, NOW)
    assert (decision.step, decision.ambiguous) == (Step.GIVE_UP, True)


@pytest.mark.parametrize("outcome", [outcome for outcome, *_ in TABLE if outcome is not LOST])
def test_a_missing_key_changes_no_other_step(outcome: SendOutcome) -> None:
    assert decide(facts(), outcome, KEYLESS, NOW) == decide(facts(), outcome, KEYED, NOW)


@pytest.mark.parametrize("from_provider", [True, False])
def test_only_the_provider_itself_settles_an_earlier_lost_answer(from_provider: bool) -> None:
    outcome = answer(Outcome.PERMANENT, from_provider=from_provider)
    assert decide(facts(ambiguous=True), outcome, KEYED, NOW).ambiguous is not from_provider
