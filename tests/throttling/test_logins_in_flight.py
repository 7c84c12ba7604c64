"""Concurrent logins: a burst of good logins is not refused, and every guess costs a token."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from tests.throttling.conftest import set_policies
from throttling import limits, logins, logins_in_flight
from throttling.buckets import Bucket, BucketStore, parse
from throttling.shared_buckets import RedisOutage

PASSWORD = "correct horse battery staple"
HOME = "203.0.113.9"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def grace() -> User:
    return User.objects.create_user("grace", password=PASSWORD)


def request(address: str = HOME) -> HttpRequest:
    return RequestFactory().post("/login/", REMOTE_ADDR=address)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            start.wait(30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_burst_of_good_logins_refuses_none(
    api: Client, grace: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log in 24 people of one office, or the 24 workers of one program."""
    together = threading.Semaphore(0)
    monkeypatch.setattr("tests.throttling.api.authenticate", _slow(together, 5))

    def log_in(_: int) -> int:
        given = {"username": "grace", "password": PASSWORD}
        return Client().post("/api/login/", given, REMOTE_ADDR=HOME).status_code

    assert Counter(at_once(24, log_in)) == {200: 24}


def _slow(together: threading.Semaphore, hold: int) -> Callable[..., Any]:
    """Verify only when ``hold`` logins are in flight at once, as slow hashing would cause."""
    first = threading.Barrier(hold)
    begun = iter(range(10_000))

    def authenticate(request: HttpRequest, username: str, password: str | None) -> User | None:
        if next(begun) < hold:
            first.wait(30)
        user = User.objects.get(username=username)
        return user if user.check_password(password or "") else None

    return authenticate


def test_a_burst_of_wrong_guesses_gets_exactly_the_burst(api: Client, grace: User) -> None:
    """Allow a waiting login with a token, or refuse it."""
    verified: list[int] = []

    def guess(number: int) -> int:
        try:
            with logins.attempt(request(), "grace"):
                verified.append(number)
                return 401
        except logins.LoginRefusedError:
            return 429

    assert Counter(at_once(24, guess)) == {401: 5, 429: 19}
    assert len(verified) == 5


def test_only_the_wrong_logins_of_a_mixed_burst_cost_tokens(
    api: Client, grace: User, store: BucketStore, settings: Settings
) -> None:
    set_policies(settings, login_user="1000/15m", login_name="1000/15m", login_ip="10/h")

    def log_in(number: int) -> None:
        with logins.attempt(request(), f"user-{number}") as attempt:
            if number % 4:
                attempt.succeeded()

    at_once(24, log_in)
    left = store.peek([Bucket(f"login_ip:{HOME}", parse("10/h"))]).states[0].remaining
    assert left == 10 - 24 // 4


def test_no_login_waits_for_one_that_has_failed(api: Client, grace: User) -> None:
    for _ in range(5):
        api.post("/api/login/", {"username": "grace", "password": "no"}, REMOTE_ADDR=HOME)
    assert not logins_in_flight._in_this_process
    refused = api.post("/api/login/", {"username": "grace", "password": "no"}, REMOTE_ADDR=HOME)
    assert refused.status_code == 429


def test_a_login_waits_for_one_of_another_process(
    api: Client, grace: User, store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [logins.attempt(request(), "grace") for _ in range(5)]
    # Only Redis knows the logins of another process.
    logins_in_flight._in_this_process.clear()
    waits = threading.Event()
    seen = logins_in_flight._others_hold

    def others(result: Any) -> bool:
        found = seen(result)
        waits.set()
        return found

    monkeypatch.setattr(logins_in_flight, "_others_hold", others)

    def land(number: int) -> bool:
        if number:
            return logins.attempt(request(), "grace").result.allowed
        assert waits.wait(10)
        held[0].succeeded()
        return True

    assert at_once(2, land) == [True, True]


def test_the_wait_is_bounded(api: Client, grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins_in_flight, "LONGEST_WAIT", 0.2)
    held = [logins.attempt(request(), "grace") for _ in range(5)]
    with pytest.raises(logins.LoginRefusedError):
        logins.attempt(request(), "grace")
    monkeypatch.setattr(logins_in_flight, "_waiting_slots", threading.BoundedSemaphore(1))
    assert logins_in_flight._waiting_slots.acquire(blocking=False)
    monkeypatch.setattr(logins_in_flight, "LONGEST_WAIT", 3600)
    with pytest.raises(logins.LoginRefusedError):
        logins.attempt(request(), "grace")
    for attempt in held:
        attempt.finished()


def test_a_try_that_is_refused_leaves_no_trace(store: BucketStore) -> None:
    bucket = Bucket("t", parse("1/h"), longest_wait_ms=36_000_000)
    assert store.try_to_take([bucket]).allowed
    before = store.client.hgetall(store.key("t"))
    waits = [store.try_to_take([bucket]).wait_ms for _ in range(3)]
    assert store.client.hgetall(store.key("t")) == before
    assert store.most_refused() == []
    assert waits == sorted(waits, reverse=True)
    first, second = (store.take([bucket]).wait_ms for _ in range(2))
    assert second > first


def test_a_burst_is_not_refused_while_redis_is_away(
    api: Client, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(RedisOutage):
        def is_known(self) -> bool:
            return True

    monkeypatch.setattr(limits, "outage", Away())

    def log_in(_: int) -> bool:
        with logins.attempt(request(), "grace") as attempt:
            attempt.succeeded()
        return True

    assert at_once(12, log_in) == [True] * 12
