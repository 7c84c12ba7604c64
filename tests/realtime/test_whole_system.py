"""The whole system: two web processes, two workers, a running broadcast, and every failure."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from delivery.worker.parent_death import die_with_parent
from tests.delivery.chaos.processes import SUPERVISOR, WEB, kill_part
from tests.realtime.chaos_proxy import ChaosProxy
from tests.realtime.follower import Follower
from tests.support.church_log import has_told_of_broadcasts, logged
from tests.support.running_system import ROOT, RunningSystem, database_environment, free_port
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.chaos

STREAM = "church:grace"
NEW_EVENTS = 5


class System:
    """A running system with a second web process, and the network in front of both."""

    def __init__(self, directory: Path, valkey: ValkeyServer) -> None:
        self.valkey = valkey
        given = {"THROTTLING_ENABLED": "0", "REDIS_URL": valkey.url, "DELIVERY_SENDER_RATE": "40"}
        self.system = RunningSystem(
            directory, "--workers", "2", **given, **(database := database_environment())
        )
        self.system.start()
        self.second_port = free_port()
        environment = {**os.environ, "DATA_DIR": str(directory), **given, **database}
        for name in {"SECRET_KEY", "PUBLIC_URL", "DATABASE_URL"} - database.keys():
            environment.pop(name, None)
        self.second = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--log-level", "warning",
             "--port", str(self.second_port), "koinonia.asgi:application"],
            cwd=ROOT, env=environment, preexec_fn=die_with_parent,
        )  # fmt: skip
        self.token = self.system.token("grace-owner")
        self._wait_for_second()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def port(self) -> int:
        return int(self.system.url.rpartition(":")[2])

    def broadcast(self) -> None:
        body = {"text": "Dear {first_name}, all at once", "audience": {"all": True}}
        self._api("POST", "broadcasts/", body)

    def head(self) -> int:
        return int(self._api("GET", "events/")["to"])

    def get(self, path: str) -> dict[str, Any]:
        return self._api("GET", path)

    def wait_for_new_events(self) -> None:
        """Wait until the log has several new events."""
        before = self.head()
        wait_until(lambda: self.head() >= before + NEW_EVENTS, 60, pause=0.2)

    def finish(self) -> int:
        wait_until(lambda: has_told_of_broadcasts(self.get), 240, pause=1)
        return self.head()

    def stop(self) -> None:
        self.second.kill()
        self.second.wait()
        self.system.stop()

    def _api(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            try:
                answer = requests.request(
                    method, address, json=body, headers=self.headers, timeout=20
                )
                answer.raise_for_status()
            except requests.RequestException:
                return None
            found: dict[str, Any] = answer.json()
            return found

        address = f"{self.system.url}/api/v1/churches/grace/{path}"
        return wait_until(answer, 60, pause=0.2)

    def _wait_for_second(self) -> None:
        def answers() -> bool:
            try:
                return requests.get(f"http://127.0.0.1:{self.second_port}/healthz", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_until(answers, 30)


@pytest.fixture
def system_under_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    valkey = ValkeyServer(tmp_path_factory.mktemp("v"))
    system_under_test = System(tmp_path_factory.mktemp("up"), valkey)
    yield system_under_test
    system_under_test.stop()
    valkey.stop()


def kill_web(system_under_test: System, proxy: ChaosProxy) -> None:
    kill_part(system_under_test.system.data_dir, WEB)


def kill_workers(system_under_test: System, proxy: ChaosProxy) -> None:
    kill_part(system_under_test.system.data_dir, SUPERVISOR)


def kill_redis(system_under_test: System, proxy: ChaosProxy) -> None:
    system_under_test.valkey.process.kill()
    system_under_test.valkey.process.wait()
    system_under_test.wait_for_new_events()
    system_under_test.valkey.start()


def freeze_redis(system_under_test: System, proxy: ChaosProxy) -> None:
    os.kill(system_under_test.valkey.process.pid, signal.SIGSTOP)
    system_under_test.wait_for_new_events()
    os.kill(system_under_test.valkey.process.pid, signal.SIGCONT)


def flush_redis(system_under_test: System, proxy: ChaosProxy) -> None:
    with redis.Redis.from_url(system_under_test.valkey.url) as client:
        client.flushall()


def freeze_second_web(system_under_test: System, proxy: ChaosProxy) -> None:
    system_under_test.second.send_signal(signal.SIGSTOP)
    system_under_test.wait_for_new_events()
    system_under_test.second.send_signal(signal.SIGCONT)


def cut_network(system_under_test: System, proxy: ChaosProxy) -> None:
    proxy.truncate(after=500)
    system_under_test.wait_for_new_events()
    proxy.blackhole()


FAILURES: list[Callable[[System, ChaosProxy], None]] = [
    kill_web, kill_redis, cut_network, freeze_redis, kill_workers, flush_redis, freeze_second_web,
]  # fmt: skip


async def test_every_client_ends_with_the_whole_log(system_under_test: System) -> None:
    with (
        ChaosProxy(system_under_test.port) as proxy,
        ChaosProxy(system_under_test.second_port) as second,
    ):
        followers = [
            Follower(port, STREAM, silence=30, origin=None, headers=system_under_test.headers)
            for port in (
                proxy.port,
                second.port,
                system_under_test.port,
                system_under_test.second_port,
            )
            * 2
        ]

        def cause_failures() -> int:
            for failure in FAILURES:
                system_under_test.broadcast()
                system_under_test.wait_for_new_events()
                failure(system_under_test, proxy)
                second.reset()
            return system_under_test.finish()

        ends = asyncio.create_task(asyncio.to_thread(cause_failures))
        following = [
            asyncio.create_task(follower.follow_until_told(ends)) for follower in followers
        ]
        async with asyncio.timeout(400):
            await asyncio.gather(*following)
    log = await asyncio.to_thread(logged, system_under_test.get)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    created = [event for event in log if event["type"] == "broadcast.created"]
    assert len(created) == len(FAILURES)
    for follower in followers:
        assert follower.events == log[: len(follower.events)]
        assert len(follower.events) >= ends.result()
        # Some clients lost their network, and other clients their server.
        assert follower.connections > 1 or follower.port == system_under_test.second_port
