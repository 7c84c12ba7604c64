"""Redis is stopped, frozen, flushed or restarted: requests stay fast, answered and limited."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from redis.connection import AbstractConnection

from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until
from tests.throttling.conftest import set_policies
from throttling import allowlist, limits
from throttling.allowlist import Allowlist
from throttling.charges import ThrottleResult
from throttling.shared_buckets import FAILURES, RedisOutage

pytestmark = pytest.mark.django_db

GRACE = {"Authorization": "Bearer grace"}


@pytest.fixture
def valkey(settings: Settings, tmp_path: Path) -> Iterator[ValkeyServer]:
    """Start a server that the test may stop or freeze."""
    server = ValkeyServer(tmp_path)
    cache = {
        "BACKEND": "django_redis.cache.RedisCache",
        "OPTIONS": {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5},
    }
    settings.CACHES = {
        **settings.CACHES,
        "throttling": {**cache, "LOCATION": f"{server.url}?db=2"},
        "ratelimit": {**cache, "LOCATION": f"{server.url}?db=4"},
    }
    yield server
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGCONT)
        server.stop()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "outage", RedisOutage(clock))
    return clock


def _stop(valkey: ValkeyServer) -> None:
    valkey.stop()


def _freeze(valkey: ValkeyServer) -> None:
    os.kill(valkey.process.pid, signal.SIGSTOP)


def _thaw(valkey: ValkeyServer) -> None:
    os.kill(valkey.process.pid, signal.SIGCONT)


def _flush(valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()


BREAK = pytest.mark.parametrize("break_redis", [_stop, _freeze], ids=["stopped", "frozen"])


def _post(api: Client) -> Any:
    return api.post("/limited/", headers=GRACE)


@BREAK
def test_without_redis_each_policy_follows_its_on_failure(
    api: Client, settings: Settings, valkey: ValkeyServer, break_redis: Any
) -> None:
    set_policies(settings, messages={"rate": "3/d", "by": "user", "on_failure": "local"})
    _post(api)
    break_redis(valkey)
    answers = [_post(api) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "api" not in answers[0]["RateLimit"]
    assert [api.get("/limited/", headers=GRACE).status_code for _ in range(5)] == [200] * 5


def test_without_redis_the_processes_divide_the_limit(
    api: Client, settings: Settings, valkey: ValkeyServer
) -> None:
    set_policies(settings, messages={"rate": "8/d", "by": "user", "on_failure": "local"})
    settings.THROTTLING = {**settings.THROTTLING, "LOCAL_PROCESSES": 4}
    valkey.stop()
    assert [_post(api).status_code for _ in range(3)] == [200, 200, 429]


def test_a_refund_goes_to_the_store_that_counted_the_charge(
    api: Client, settings: Settings, valkey: ValkeyServer
) -> None:
    set_policies(settings, messages={"rate": "1/d", "by": "user", "on_failure": "local"})
    valkey.stop()
    replayed = {**GRACE, "Idempotency-Key": "a"}
    answers = [api.post("/limited/", headers=replayed) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert '"messages";r=1' in answers[-1]["RateLimit"]


@BREAK
def test_without_redis_a_closed_policy_answers_503(
    api: Client, settings: Settings, valkey: ValkeyServer, break_redis: Any
) -> None:
    set_policies(settings, messages={"rate": "3/m", "by": "user", "on_failure": "closed"})
    break_redis(valkey)
    answer = _post(api)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert answer.json()["type"].endswith("#temporary-reduced-capacity")


@BREAK
def test_without_redis_guessing_is_still_limited(
    api: Client, valkey: ValkeyServer, break_redis: Any
) -> None:
    User.objects.create_superuser("grace", password="correct horse")
    break_redis(valkey)
    codes = [
        api.post("/admin/login/", {"username": "grace", "password": "guess"}).status_code
        for _ in range(7)
    ]
    assert codes == [200] * 5 + [429] * 2


def test_a_frozen_redis_is_asked_by_three_requests_and_then_by_none(
    api: Client, valkey: ValkeyServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.get("/limited/", headers=GRACE)
    sent: list[int] = []
    send: Any = AbstractConnection.send_packed_command

    def counted(connection: AbstractConnection, *command: Any, **how: Any) -> None:
        sent[-1] += 1
        send(connection, *command, **how)

    _freeze(valkey)
    with monkeypatch.context() as wire:
        wire.setattr(AbstractConnection, "send_packed_command", counted)
        for _ in range(FAILURES + 5):
            sent.append(0)
            assert api.get("/limited/", headers=GRACE).status_code == 200
    assert sent == [1] * FAILURES + [0] * 5


def test_redis_decides_again_when_it_is_back(
    api: Client, settings: Settings, valkey: ValkeyServer, clock: Clock
) -> None:
    set_policies(settings, api="2/h")
    codes = [api.get("/limited/", headers=GRACE).status_code for _ in range(3)]
    _freeze(valkey)
    codes += [api.get("/limited/", headers=GRACE).status_code for _ in range(4)]
    os.kill(valkey.process.pid, signal.SIGCONT)
    clock.now += 10
    codes += [api.get("/limited/", headers=GRACE).status_code for _ in range(2)]
    assert codes == [200, 200, 429, 200, 200, 200, 200, 429, 429]


def test_a_restart_causes_no_error(api: Client, settings: Settings, valkey: ValkeyServer) -> None:
    set_policies(settings, api="2/h")
    codes = [api.get("/limited/", headers=GRACE).status_code for _ in range(3)]
    valkey.stop()
    valkey.start()
    codes += [api.get("/limited/", headers=GRACE).status_code for _ in range(4)]
    # The new server begins with full buckets. The failure policy may allow the request that finds
    # the old connection broken.
    assert codes[:3] == [200, 200, 429]
    assert codes[-1] == 429
    assert 500 not in codes


def test_under_load_every_request_is_decided_in_any_state_of_redis(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowlist, "_read", lambda version: Allowlist(version, monotonic()))
    number, latest, done = count(1), [(0, ThrottleResult())], Event()

    def ask() -> None:
        while not done.is_set():
            result = limits.charge("anon", "x")
            latest[0] = next(number), result

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for break_redis in (_flush, _freeze, _thaw, _stop, ValkeyServer.start):
                break_redis(valkey)
                before = latest[0][0]
                wait_until(lambda before=before: latest[0][0] > before + 50)  # type: ignore[misc]  # bound now
            wait_until(lambda: bool(latest[0][1].outcomes))
        finally:
            done.set()
    assert [asked.exception() for asked in asking] == [None] * 4


def test_a_refund_to_a_stopped_redis_raises_nothing(api: Client, valkey: ValkeyServer) -> None:
    result = limits.charge("anon", "x")
    valkey.stop()
    result.give_back()
    assert result.allowed


def test_after_three_failures_one_caller_a_second_tries(clock: Clock) -> None:
    outage = RedisOutage(clock)
    assert [outage.note_failure() for _ in range(FAILURES)] == [1, 2, 3]
    assert outage.is_known()
    clock.now += 1.3
    assert [outage.is_known() for _ in range(3)] == [False, True, True]
    assert outage.note_answer()
    assert not outage.is_known()
