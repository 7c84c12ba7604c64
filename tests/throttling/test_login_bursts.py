"""Good logins at once: none is refused because the others are in flight, and no guess is free."""

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
from throttling import in_flight, limits, logins
from throttling.buckets import Bucket, BucketStore, parse
from throttling.outage import Outage

PASSWORD = "correct horse battery staple"
HOME = "203.0.113.9"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def grace(settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
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
    """Twenty-four people of one office, or one program with twenty-four workers."""
    together = threading.Semaphore(0)
    monkeypatch.setattr("tests.throttling.api.authenticate", _slow(together, 5))

    def log_in(_: int) -> int:
        given = {"username": "grace", "password": PASSWORD}
        return Client().post("/api/login/", given, REMOTE_ADDR=HOME).status_code

    assert Counter(at_once(24, log_in)) == {200: 24}


def _slow(together: threading.Semaphore, hold: int) -> Callable[..., Any]:
    """Verify only when ``hold`` logins are in flight at once, as slow hashing lets them be."""
    first = threading.Barrier(hold)
    begun = iter(range(10_000))

    def authenticate(request: HttpRequest, username: str, password: str | None) -> User | None:
        if next(begun) < hold:
            first.wait(30)
        user = User.objects.get(username=username)
        return user if user.check_password(password or "") else None

    return authenticate


def test_a_burst_of_wrong_guesses_gets_exactly_the_burst(api: Client, grace: User) -> None:
    """Whoever waits is let in with a token or not at all."""
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


def test_good_and_wrong_ones_together_spend_what_was_wrong(
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


def test_nobody_waits_for_a_login_that_has_failed(api: Client, grace: User) -> None:
    for _ in range(5):
        api.post("/api/login/", {"username": "grace", "password": "no"}, REMOTE_ADDR=HOME)
    assert not in_flight._here
    refused = api.post("/api/login/", {"username": "grace", "password": "no"}, REMOTE_ADDR=HOME)
    assert refused.status_code == 429


def test_another_process_in_flight_is_waited_for(
    api: Client, grace: User, store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [logins.attempt(request(), "grace") for _ in range(5)]
    # Redis alone knows what another process holds.
    in_flight._here.clear()
    waits = threading.Event()
    seen = in_flight._others

    def others(verdict: Any) -> bool:
        found = seen(verdict)
        waits.set()
        return found

    monkeypatch.setattr(in_flight, "_others", others)

    def land(number: int) -> bool:
        if number:
            return logins.attempt(request(), "grace").verdict.allowed
        assert waits.wait(10)
        held[0].succeeded()
        return True

    assert at_once(2, land) == [True, True]


def test_the_waiting_has_a_bound(api: Client, grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "PATIENCE", 0.2)
    held = [logins.attempt(request(), "grace") for _ in range(5)]
    with pytest.raises(logins.LoginRefusedError):
        logins.attempt(request(), "grace")
    monkeypatch.setattr(in_flight, "_places", threading.BoundedSemaphore(1))
    assert in_flight._places.acquire(blocking=False)
    monkeypatch.setattr(in_flight, "PATIENCE", 3600)
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
    class Away(Outage):
        def known(self) -> bool:
            return True

    monkeypatch.setattr(limits, "outage", Away())

    def log_in(_: int) -> bool:
        with logins.attempt(request(), "grace") as attempt:
            attempt.succeeded()
        return True

    assert at_once(12, log_in) == [True] * 12
