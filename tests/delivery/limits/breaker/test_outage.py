"""An outage after a good period must not use up all attempts of the first messages."""

from __future__ import annotations

import pytest

from delivery.limits.breaker.local import LocalBreaker
from delivery.limits.breaker.permit import Permit, Tally
from delivery.limits.breaker.policy import Policy
from delivery.models import BreakerState

RETRY_DELAYS = (1, 2, 4)
LAST_ATTEMPT = sum(RETRY_DELAYS)


def seconds_until_open(texts_per_second: int) -> int:
    """Fail every message after half a minute without a failure, and retry on time."""
    breaker, policy = LocalBreaker(), Policy()
    permit = Permit(breaker.state, True, breaker.epoch)
    for second in range(30):
        breaker.record(permit, "w", Tally(texts_per_second, 0), second, policy)
    attempts_begin = [sum(RETRY_DELAYS[:number]) for number in range(4)]
    for second in range(60):
        calls = texts_per_second * sum(begin <= second for begin in attempts_begin)
        breaker.record(permit, "w", Tally(calls, calls), 30 + second, policy)
        if breaker.state == BreakerState.OPEN:
            return second
    raise AssertionError("It stayed closed for a minute.")


@pytest.mark.parametrize("texts_per_second", [1, 5, 20, 50, 500])
def test_it_opens_before_the_first_message_has_used_up_its_attempts(texts_per_second: int) -> None:
    assert seconds_until_open(texts_per_second) < LAST_ATTEMPT


def test_one_call_in_five_that_fails_leaves_it_closed() -> None:
    breaker, policy = LocalBreaker(), Policy()
    permit = Permit(breaker.state, True, breaker.epoch)
    for second in range(300):
        assert breaker.record(permit, "w", Tally(10, 2), second, policy) is None


def test_a_success_never_opens_it() -> None:
    """Retry some bad messages long after the last good one; then one message is accepted."""
    breaker, policy = LocalBreaker(), Policy()
    permit = Permit(breaker.state, True, breaker.epoch)
    breaker.record(permit, "w", Tally(300, 30), 0, policy)
    breaker.record(permit, "w", Tally(30, 30), 4, policy)
    assert breaker.record(permit, "w", Tally(1, 0), 7, policy) is None
    assert breaker.record(permit, "w", Tally(1, 1), 7, policy) is not None
