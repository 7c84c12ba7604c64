from __future__ import annotations

from collections.abc import Sequence

import pytest

from throttling.buckets import BucketState, parse
from throttling.charges import Charge, PolicyOutcome, ThrottleResult
from throttling.policies import Policy

RATE = parse("60/m")
FULL = BucketState(False, 60, 0, 0)


def _outcome(*, wait_ms: int = 0, shadow: bool = False, give_back: bool = True) -> PolicyOutcome:
    policy = Policy("p", RATE, "user", shadow=shadow, give_back=give_back)
    state = BucketState(wait_ms > 0, 0, wait_ms, 60_000)
    return PolicyOutcome(Charge(policy, "x", RATE), state)


class RecordedRefunds:
    """Records the charges that are given back."""

    def __init__(self) -> None:
        self.charges: list[Charge] = []

    def __call__(self, charges: Sequence[Charge]) -> Sequence[PolicyOutcome]:
        self.charges += charges
        return [PolicyOutcome(charge, FULL) for charge in charges]


def test_a_charge_is_given_back_once() -> None:
    returned = RecordedRefunds()
    result = ThrottleResult([_outcome()], refund=returned)
    for _ in range(3):
        result.give_back()
    assert len(returned.charges) == 1
    assert result.outcomes[0].state == FULL


@pytest.mark.parametrize("everything", [False, True])
def test_a_refusal_gives_nothing_back(everything: bool) -> None:
    returned = RecordedRefunds()
    ThrottleResult([_outcome(), _outcome(wait_ms=500)], refund=returned).give_back(
        everything=everything
    )
    assert returned.charges == []


def test_a_shadow_that_could_not_pay_gives_nothing_back() -> None:
    returned = RecordedRefunds()
    paid = _outcome()
    ThrottleResult([paid, _outcome(wait_ms=500, shadow=True)], refund=returned).give_back()
    assert returned.charges == [paid.charge]


@pytest.mark.parametrize(
    ("wait_ms", "seconds"), [(1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_999, 60)]
)
def test_retry_after_is_never_too_early(wait_ms: int, seconds: int) -> None:
    assert ThrottleResult([_outcome(wait_ms=wait_ms)]).retry_after == seconds


def test_retry_after_is_the_longest_wait_of_the_refusing_policies() -> None:
    refusing = [
        _outcome(wait_ms=1_500),
        _outcome(wait_ms=9_500),
        _outcome(wait_ms=99_500, shadow=True),
    ]
    assert ThrottleResult(refusing).retry_after == 10
