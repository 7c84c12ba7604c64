"""The web process that ``bench/bench_console.py`` asks, and what its answers cost."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from system_parts import Build

from delivery.worker.parent_death import die_with_parent

LOGIN = "/login/"
"""Asked without a cookie: it redirects whoever is signed in."""
_WARM, _CPU_RUNS, _READY_SECONDS = 3, 20, 60


@dataclass(frozen=True)
class System:
    """The commands and the web process of a checkout."""

    build: Build
    port: int
    environment: Mapping[str, str]

    def manage(self, *arguments: str) -> str:
        return self.run(str(self.build.tree / "manage.py"), *arguments)

    def run(self, *command: str) -> str:
        done = subprocess.run(  # noqa: S603  # files of the two checkouts
            [self.build.python, *command], cwd=self.build.tree, env=self.environment,
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    @contextmanager
    def serving(self, directory: Path) -> Iterator[Web]:
        with (directory / "web.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # a file of the checkout
                self.build.web("daphne", self.port), cwd=self.build.tree, env=self.environment,
                stdout=log, stderr=log, preexec_fn=die_with_parent,  # no thread has started yet
            )  # fmt: skip
        try:
            web = Web(self.port, process.pid, self.environment["DATABASE_URL"])
            web.wait_until_ready()
            yield web
        finally:
            process.terminate()
            process.wait()


class Web:
    """A web process, and a connection to it that stays open."""

    def __init__(self, port: int, pid: int, database: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port, self._pid, self._database = port, pid, database
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                if self.get("/readyz", "") and self._status == 200:
                    return
            except OSError:
                self._connection.close()
            if time.monotonic() > deadline:
                raise RuntimeError("The web process is not ready.")
            time.sleep(0.1)

    def get(self, path: str, cookie: str) -> float:
        """Return the seconds to the head of the answer; read the rest."""
        headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
        headers["Accept-Encoding"] = "br, gzip"
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        seconds = time.perf_counter() - began
        answer.read()
        self._status = answer.status
        return seconds

    def times(self, paths: Mapping[str, str], cookie: str, rounds: int) -> dict[str, list[float]]:
        """Return the sorted times of each path, asked in turn."""
        found: dict[str, list[float]] = {name: [] for name in paths}
        for number in range(_WARM + rounds):
            for name, path in paths.items():
                seconds = self.get(path, "" if path == LOGIN else cookie)
                if self._status != 200:
                    raise RuntimeError(f"{path} answered {self._status}.")
                if number >= _WARM:
                    found[name].append(seconds)
        return {name: sorted(some) for name, some in found.items()}

    def cpu(self, path: str, cookie: str) -> float:
        """Return the CPU milliseconds of one request: the web process and the backends of PostgreSQL."""
        with psycopg.connect(self._database, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            )
            roots = [self._pid, *(int(pid) for (pid,) in rows)]
            before = _cpu_seconds(roots)
            for _ in range(_CPU_RUNS):
                self.get(path, "" if path == LOGIN else cookie)
            return (_cpu_seconds(roots) - before) / _CPU_RUNS * 1000


def _cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of the threads of these processes, more exact than the clock ticks of ``stat``."""
    files = (file for pid in pids for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9
