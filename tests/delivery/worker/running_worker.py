"""``manage.py worker`` in a separate project, as processes that a test may kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


class RunningWorker:
    def __init__(self, directory: Path, *, clusters: int = 1, **environment: str) -> None:
        self.directory = directory
        self._clusters = clusters
        self._database = _new_database(directory)
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.delivery.alone.settings",
            "ALONE_DATABASE": self._database,
            "PYTHONWARNINGS": "ignore",
            **environment,
        }
        self.run("migrate", "-v0")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT, env=self._environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def script(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.delivery.alone.{name}", *arguments],
            cwd=ROOT, env=self._environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def start(self) -> None:
        self.log = self.directory / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "django", "worker", "--clusters", str(self._clusters)],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def statuses(self) -> dict[str, int]:
        rows = self.query("SELECT status, COUNT(*) FROM delivery_message GROUP BY status")
        return {str(status): int(count) for status, count in rows}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if self._database.startswith("sqlite"):
            connection = sqlite3.connect(self._database.removeprefix("sqlite:///"), timeout=20)
            try:
                return list(connection.execute(sql))
            finally:
                connection.close()
        with psycopg.connect(self._database, autocommit=True) as postgres:
            return list(postgres.execute(sql.encode()))

    def tree(self) -> dict[str, int]:
        """Return the processes of the only cluster by role; empty until the cluster is complete."""
        return cluster_of(self.process.pid)

    def workers(self) -> list[int]:
        """Return the sending processes of all clusters; empty until each cluster is complete."""
        mains = _children(self.process.pid)
        parts = [_parts(main).get("worker", 0) for main in mains]
        return parts if len(parts) == self._clusters and all(parts) else []

    def kill_all(self) -> None:
        """Kill all processes, like a power failure."""
        below = self.processes()
        kill(self.process.pid)
        for pid in below:
            try:
                kill(pid)
            except ProcessLookupError:
                pass  # it died together with its parent
        self.process.wait()
        wait_until(lambda: not any(alive(pid) for pid in below))

    def processes(self) -> set[int]:
        """Return every process below the supervisor."""
        found, looking = set[int](), [self.process.pid]
        while looking:
            for child in _children(looking.pop()):
                found.add(child)
                looking.append(child)
        return found


def cluster_of(supervisor: int) -> dict[str, int]:
    """Return the processes of the supervisor's only cluster by role; empty until it is complete."""
    mains = _children(supervisor)
    return _parts(mains[0]) if len(mains) == 1 else {}


def _parts(main: int) -> dict[str, int]:
    sentinels = _children(main)
    parts = [child for sentinel in sentinels for child in _children(sentinel)]
    if not (len(sentinels) == 1 and len(parts) == 3):
        return {}
    worker, monitor, pusher = sorted(parts)  # django-q2 starts them in this order
    return {
        "cluster": main, "sentinel": sentinels[0],
        "worker": worker, "monitor": monitor, "pusher": pusher,
    }  # fmt: skip


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [child for child in map(int, text.split()) if alive(child)]


def _new_database(directory: Path) -> str:
    server = os.environ.get("KOINONIA_TEST_POSTGRES")
    if server is None:
        return f"sqlite:///{directory}/worker.sqlite3"
    name = f"worker_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.rsplit("/", 1)[0] + f"/{name}"
