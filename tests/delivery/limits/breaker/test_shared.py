"""The breaker on a real Redis, in real time where time matters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from delivery import redis_client
from delivery.limits.breaker.permit import Permit, Tally
from delivery.limits.breaker.shared import SharedBreaker
from delivery.models import BreakerState
from tests.delivery.accounts import account
from tests.support.waiting import wait_until

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def permit(breaker: SharedBreaker) -> Permit:
    return breaker.ask()[0]


def fail(breaker: SharedBreaker, calls: int = 10) -> None:
    breaker.record(permit(breaker), Tally(calls, calls))


def probe(breaker: SharedBreaker) -> Permit:
    """Return the first permit after the open time."""

    def allowed() -> Permit | None:
        found = permit(breaker)
        return found if found.allowed else None

    found: Permit = wait_until(allowed)
    return found


def test_it_opens_for_all_processes_when_half_of_the_calls_fail() -> None:
    one, other = SharedBreaker(account()), SharedBreaker(account())
    moved = one.record(permit(one), Tally(10, 5))
    assert moved is not None
    assert (moved.after, moved.reason) == (OPEN, "5 of 10 calls failed")
    assert not permit(other).allowed


@pytest.mark.parametrize("tally", [Tally(9, 9), Tally(20, 9), Tally(20, 0, 15)])
def test_too_few_calls_or_failures_leave_it_closed(tally: Tally) -> None:
    breaker = SharedBreaker(account())
    assert breaker.record(permit(breaker), tally) is None


def test_it_opens_when_most_calls_are_slow() -> None:
    breaker = SharedBreaker(account())
    moved = breaker.record(permit(breaker), Tally(10, 0, 8))
    assert moved is not None
    assert moved.reason == "8 of 10 calls were slow"


def test_one_failing_worker_does_not_open_it_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = SharedBreaker(account())
    for name, failed in (("well", 0), ("sick", 30), ("sick", 30)):
        monkeypatch.setenv("DELIVERY_WORKER", name)
        assert breaker.record(permit(breaker), Tally(30, failed)) is None
    monkeypatch.setenv("DELIVERY_WORKER", "well")
    moved = breaker.record(permit(breaker), Tally(100, 100))
    assert moved is not None
    assert moved.after == OPEN


def test_of_fifty_callers_at_once_exactly_one_may_probe() -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    time.sleep(permit(breaker).wait)  # the subject is the moment at which its time is over
    with ThreadPoolExecutor(50) as callers:
        permits = list(callers.map(lambda _: permit(SharedBreaker(account())), range(50)))
    assert sum(found.allowed for found in permits) == 1


def test_only_the_worker_with_the_probe_may_close_it() -> None:
    breaker = SharedBreaker(account())
    stale = permit(breaker)
    fail(breaker)
    found = probe(breaker)
    assert breaker.record(stale, Tally(10, 0)) is None
    forged = Permit(HALF_OPEN, True, found.epoch, "forged")
    assert breaker.record(forged, Tally(1, 0)) is None
    moved = breaker.record(found, Tally(1, 0))
    assert moved is not None
    assert moved.after == CLOSED


def test_each_failed_probe_doubles_the_open_time() -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    breaker.record(probe(breaker), Tally(1, 1))
    assert 1.0 < permit(breaker).wait <= 2.0


def test_a_probe_that_sent_nothing_frees_the_next_one() -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    breaker.record(probe(breaker), Tally())
    assert permit(breaker).allowed


def test_it_stays_open_after_a_flush_of_redis(valkey: redis.Redis) -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    assert not permit(breaker).allowed
    valkey.flushall()
    assert not permit(breaker).allowed
    assert not permit(SharedBreaker(account())).allowed


@pytest.fixture
def redis_gone(settings: Any) -> Iterator[Any]:
    def go() -> None:
        settings.DELIVERY = {**settings.DELIVERY, "REDIS_URL": "redis://127.0.0.1:9/0"}

    yield go
    redis_client._avoid_until = 0.0


def test_without_redis_it_stays_as_it_was(redis_gone: Any) -> None:
    ill, well = SharedBreaker(account()), SharedBreaker(account())
    permit(well)
    redis_gone()
    assert permit(well).allowed
    fail(well)
    assert not permit(well).allowed
    assert permit(ill).allowed


def test_without_redis_an_open_breaker_stays_open_and_then_probes(redis_gone: Any) -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    permit(breaker)
    redis_gone()
    assert not permit(breaker).allowed
    assert probe(breaker).probe
    assert not permit(breaker).allowed


def test_a_breaker_that_has_just_opened_stays_open_when_redis_goes(redis_gone: Any) -> None:
    breaker = SharedBreaker(account())
    fail(breaker)
    redis_gone()
    assert 0.5 < permit(breaker).wait <= 1.0
