"""Everything at once: two web processes, two workers, a broadcast in the air, and what can break."""

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
from tests.church_log import has_told_of_broadcasts, logged
from tests.delivery.chaos.processes import SUPERVISOR, WEB, kill_part
from tests.realtime.chaos_proxy import ChaosProxy
from tests.realtime.follower import Follower
from tests.running_system import ROOT, RunningSystem, database_environment, free_port
from tests.valkey import ValkeyServer
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos

STREAM = "church:grace"
NEWS = 5


class Town:
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

    def wait_for_news(self) -> None:
        """Until life has gone on for a while: some more has happened to the texts in the air."""
        before = self.head()
        wait_until(lambda: self.head() >= before + NEWS, 60, pause=0.2)

    def rest(self) -> int:
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
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    valkey = ValkeyServer(tmp_path_factory.mktemp("v"))
    town = Town(tmp_path_factory.mktemp("up"), valkey)
    yield town
    town.stop()
    valkey.stop()


def kill_web(town: Town, proxy: ChaosProxy) -> None:
    kill_part(town.system.data_dir, WEB)


def kill_workers(town: Town, proxy: ChaosProxy) -> None:
    kill_part(town.system.data_dir, SUPERVISOR)


def kill_redis(town: Town, proxy: ChaosProxy) -> None:
    town.valkey.process.kill()
    town.valkey.process.wait()
    town.wait_for_news()
    town.valkey.start()


def freeze_redis(town: Town, proxy: ChaosProxy) -> None:
    os.kill(town.valkey.process.pid, signal.SIGSTOP)
    town.wait_for_news()
    os.kill(town.valkey.process.pid, signal.SIGCONT)


def flush_redis(town: Town, proxy: ChaosProxy) -> None:
    with redis.Redis.from_url(town.valkey.url) as client:
        client.flushall()


def freeze_second_web(town: Town, proxy: ChaosProxy) -> None:
    town.second.send_signal(signal.SIGSTOP)
    town.wait_for_news()
    town.second.send_signal(signal.SIGCONT)


def cut_network(town: Town, proxy: ChaosProxy) -> None:
    proxy.truncate(after=500)
    town.wait_for_news()
    proxy.blackhole()


ALL: list[Callable[[Town, ChaosProxy], None]] = [
    kill_web, kill_redis, cut_network, freeze_redis, kill_workers, flush_redis, freeze_second_web,
]  # fmt: skip


async def test_every_client_ends_with_the_log(town: Town) -> None:
    with ChaosProxy(town.port) as proxy, ChaosProxy(town.second_port) as second:
        followers = [
            Follower(port, STREAM, silence=30, origin=None, headers=town.headers)
            for port in (proxy.port, second.port, town.port, town.second_port) * 2
        ]

        def trouble() -> int:
            for harm in ALL:
                town.broadcast()
                town.wait_for_news()
                harm(town, proxy)
                second.reset()
            return town.rest()

        ends = asyncio.create_task(asyncio.to_thread(trouble))
        following = [
            asyncio.create_task(follower.follow_until_told(ends)) for follower in followers
        ]
        async with asyncio.timeout(400):
            await asyncio.gather(*following)
    log = await asyncio.to_thread(logged, town.get)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    created = [event for event in log if event["type"] == "broadcast.created"]
    assert len(created) == len(ALL)
    for follower in followers:
        assert follower.events == log[: len(follower.events)]
        assert len(follower.events) >= ends.result()
        # The network of some was cut, and the servers of others killed.
        assert follower.connections > 1 or follower.port == town.second_port
