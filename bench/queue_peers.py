"""The contenders of ``bench_queue.py``: their packages, and a worker of one process for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import requests
from process_cost import cpu_seconds, pids

ROOT = Path(__file__).parent.parent
_BELOW = 0.1
"""A queue is at rest when its processes use less than this share of a core."""


@dataclass(frozen=True)
class Peer:
    name: str
    package: str
    worker: tuple[str, ...]
    """The arguments of Python that run one worker process."""

    @property
    def optional(self) -> bool:
        """Return whether the project runs without the package."""
        return self.package not in {"", "django-q2"}

    def installed(self) -> str | None:
        """Return the version, or None."""
        try:
            return version(self.package) if self.package else "this tree"
        except PackageNotFoundError:
            return None


_CELERY = (
    "-m", "celery", "-A", "queue_tasks:celery_app", "worker", "--pool", "threads",
    "--concurrency", "64", "--loglevel", "WARNING",
)  # fmt: skip
_Q2 = ("-m", "django", "qcluster")
PEERS = (
    Peer("delivery", "", ("-m", "django", "worker", "--clusters", "1")),
    Peer("django-q2", "django-q2", _Q2),
    Peer("django-q2, save_limit -1", "django-q2", _Q2),
    Peer("Celery", "celery", _CELERY),
    Peer("Celery, acks_late", "celery", _CELERY),
    Peer(
        "procrastinate", "procrastinate",
        ("-m", "django", "procrastinate", "worker", "--concurrency", "64"),
    ),
    Peer("django-tasks-db", "django-tasks-db", ("-m", "django", "db_worker", "-v", "0")),
)  # fmt: skip


class Running:
    """One contender with its worker and its own sink, on the servers of the benchmark."""

    def __init__(self, peer: Peer, environment: dict[str, str], sink: str, log: Path) -> None:
        self.peer, self._sink, self._log = peer, sink, log
        self._environment = environment | {"BENCH_QUEUE": peer.name, "BENCH_SINK": sink}

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  # a command of this file
                [sys.executable, *self.peer.worker],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        below = pids([self.process.pid])
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        _kill(below)
        self.process.wait(10)

    def kill(self) -> None:
        """Kill the worker with all of its processes, like a loss of power."""
        _kill(pids([self.process.pid]))
        self.process.wait(10)

    def enqueue(self, count: int, words: str, *options: str) -> dict[str, float]:
        """Give texts to the queue in a process of its own, and return the cost."""
        script = str(ROOT / "bench" / "queue_enqueue.py")
        done = subprocess.run(  # noqa: S603  # a file of this repository
            [sys.executable, script, self.peer.name, str(count), words, *options],
            cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def count(self) -> int:
        return int(requests.get(f"{self._sink}/count", timeout=30).json())

    def posts(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = requests.get(f"{self._sink}/posts", timeout=30).json()
        return found

    def arrivals(self) -> dict[str, float]:
        found: dict[str, float] = requests.get(f"{self._sink}/arrivals", timeout=30).json()
        return found

    def cpu(self) -> float:
        return cpu_seconds([self.process.pid])

    def warm_up(self) -> None:
        self.enqueue(1, "Warm-up")
        wait_for(lambda: self.count() == 1, 60)


def _kill(processes: list[int]) -> None:
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # It has ended with its parent.


@contextmanager
def running(
    peer: Peer, environment: dict[str, str], directory: Path, answer_seconds: float = 0.02
) -> Iterator[Running]:
    stub = subprocess.Popen(  # noqa: S603  # a file of this repository
        [sys.executable, str(ROOT / "bench" / "delivery_stub.py"), str(answer_seconds)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert stub.stdout is not None  # noqa: S101  # because of PIPE
    sink = f"http://127.0.0.1:{int(stub.stdout.readline())}"
    started = Running(peer, environment, sink, directory / f"{peer.name}.log")
    try:
        started.start()
        started.warm_up()
        yield started
    finally:
        started.stop()
        stub.terminate()
        stub.wait(10)


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The condition was not met within {seconds} s.")
        time.sleep(0.1)


def wait_for_rest(cpu: Callable[[], float]) -> None:
    """Wait until all processes of the queue are idle, so that what follows a post is counted too."""
    deadline = time.monotonic() + 60
    before = cpu()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = cpu()
        if now - before < _BELOW:
            return
        before = now
