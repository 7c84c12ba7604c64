"""Measure what held polls cost other clients: ``python bench/bench_held_polls.py [--polls 500]``.

One web process runs on PostgreSQL with a pool of 20 connections. One client requests a list of messages,
one request after another, at a steady pace. Turns without polls alternate with turns beside the polls.
A figure covers all turns of its kind, so that the load of the machine affects both kinds equally. At the
end one text ends all polls at once, while the client continues.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from realtime_goals import Goals  # noqa: E402  # found by the path above

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # the same
from tests.support.running_system import RunningSystem  # noqa: E402  # the same
from tests.up.descendants import one  # noqa: E402  # the same

POOL = "20"
CHURCH = "/api/v1/churches/grace"
PACE_SECONDS = 0.02
MOST_RATIO = 1.5


class Client:
    def __init__(self, system: RunningSystem) -> None:
        self.url = system.url
        self.token = system.token("grace-sender")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        self.errors = 0

    def turn(self, count: int) -> list[float]:
        """Make ``count`` requests, and return the seconds of each."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            answer = self.session.get(f"{self.url}{CHURCH}/messages/", timeout=60)
            took.append(time.perf_counter() - began)
            self.errors += answer.status_code != 200
            time.sleep(max(0.0, PACE_SECONDS - took[-1]))
        return took

    def head(self) -> int:
        answer = self.session.get(f"{self.url}{CHURCH}/events/", timeout=60).json()
        return int(answer["to"])

    def send_text(self) -> None:
        body = {"to": "+13125550177", "text": "News for those who wait"}
        answer = self.session.post(f"{self.url}{CHURCH}/messages/", json=body, timeout=60)
        answer.raise_for_status()


class Crowd:
    def __init__(self, client: Client, count: int) -> None:
        host, port = client.url.removeprefix("http://").split(":")
        command = [sys.executable, str(ROOT / "bench" / "held_crowd.py")]
        self.process = subprocess.Popen(  # noqa: S603 -- a file of this repository
            [*command, host, port, client.token, str(client.head()), str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

        self.words, self.answers = self.process.stdin, self.process.stdout

    def say(self, word: str) -> None:
        if self.words:
            self.words.write(f"{word}\n")
            self.words.flush()

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.answers.readline() if self.answers else "")
        return found

    def ask(self, word: str) -> dict[str, Any]:
        self.say(word)
        return self.hear()


@contextmanager
def _crowd(client: Client, count: int) -> Iterator[Crowd]:
    crowd = Crowd(client, count)
    try:
        while crowd.ask("count")["held"] < count:
            time.sleep(0.1)
        # This poll queues behind the others: when it is answered, the server holds all of them.
        client.session.get(f"{client.url}{CHURCH}/events/?after={client.head()}&wait=1", timeout=60)
        yield crowd
    finally:
        crowd.process.kill()
        crowd.process.wait()


def p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)] * 1000


def _threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--polls", type=int, default=500)
    options.add_argument("--turns", type=int, default=5)
    options.add_argument("--requests", type=int, default=300)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedPostgres(Path(home) / "postgres")
        environment = {
            "DATABASE_URL": server.url, "DATABASE_POOL": POOL, "THROTTLING_ENABLED": "0",
        }  # fmt: skip
        try:
            with RunningSystem(Path(home) / "var", **environment) as system:
                _measure(system, given.polls, given.turns, given.requests)
        finally:
            server.stop("immediate")


def _measure(system: RunningSystem, polls: int, turns: int, count: int) -> None:
    client = Client(system)
    web = one(system.data_dir, "realtime.daphne")
    client.turn(count)  # warm up
    alone: list[float] = []
    beside: list[float] = []
    threads: list[int] = []
    for _ in range(turns):
        alone += client.turn(count)
        before = _threads(web)
        with _crowd(client, polls) as crowd:
            beside += client.turn(count)
            threads.append(_threads(web) - before)
            bad = crowd.ask("count")["bad"]
    with _crowd(client, polls) as crowd:
        crowd.ask("news")
        client.send_text()
        herd = client.turn(count)
        ended = crowd.hear()
    print(f"{'':24}{'p50 ms':>9}{'p99 ms':>9}")  # noqa: T201  # the report of the run
    for name, took in (("alone", alone), (f"beside {polls}", beside), ("while all end", herd)):
        print(f"{name:24}{sorted(took)[len(took) // 2] * 1000:>9.1f}{p99(took):>9.1f}")  # noqa: T201  # the report of the run
    print(f"all {polls} received the event after {ended['seconds']:.1f} s")  # noqa: T201  # the report of the run
    goals = Goals()
    goals.at_most(
        "p99 beside the polls, divided by p99 alone", MOST_RATIO, p99(beside) / p99(alone)
    )
    goals.at_most("errors of the client", 0, client.errors)
    goals.at_most("errors of the polls", 0, bad + ended["bad"])
    goals.at_most("threads that the polls add", 20, max(threads))
    goals.report()


if __name__ == "__main__":
    main()
