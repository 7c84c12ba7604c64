from __future__ import annotations

from collections.abc import Sequence

import pytest

from throttling.buckets import BucketState, parse
from throttling.policies import Policy
from throttling.verdict import Charge, Judged, Verdict

RATE = parse("60/m")
FULL = BucketState(False, 60, 0, 0)


def _judged(*, wait_ms: int = 0, shadow: bool = False, give_back: bool = True) -> Judged:
    policy = Policy("p", RATE, "user", shadow=shadow, give_back=give_back)
    state = BucketState(wait_ms > 0, 0, wait_ms, 60_000)
    return Judged(Charge(policy, "x", RATE), state)


class Returned:
    """Counts what is given back to it."""

    def __init__(self) -> None:
        self.charges: list[Charge] = []

    def __call__(self, charges: Sequence[Charge]) -> Sequence[Judged]:
        self.charges += charges
        return [Judged(charge, FULL) for charge in charges]


def test_a_charge_is_given_back_once() -> None:
    returned = Returned()
    verdict = Verdict([_judged()], returner=returned)
    for _ in range(3):
        verdict.give_back()
    assert len(returned.charges) == 1
    assert verdict.judged[0].state == FULL


@pytest.mark.parametrize("everything", [False, True])
def test_a_refusal_gives_nothing_back_for_nothing_was_charged(everything: bool) -> None:
    returned = Returned()
    Verdict([_judged(), _judged(wait_ms=500)], returner=returned).give_back(everything=everything)
    assert returned.charges == []


def test_a_shadow_that_could_not_pay_has_nothing_to_give_back() -> None:
    returned = Returned()
    paid = _judged()
    Verdict([paid, _judged(wait_ms=500, shadow=True)], returner=returned).give_back()
    assert returned.charges == [paid.charge]


@pytest.mark.parametrize(
    ("wait_ms", "seconds"), [(1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_999, 60)]
)
def test_retry_after_is_never_too_early(wait_ms: int, seconds: int) -> None:
    assert Verdict([_judged(wait_ms=wait_ms)]).retry_after == seconds


def test_what_every_refusing_policy_waits_for_is_waited_for() -> None:
    refusing = [
        _judged(wait_ms=1_500),
        _judged(wait_ms=9_500),
        _judged(wait_ms=99_500, shadow=True),
    ]
    assert Verdict(refusing).retry_after == 10
