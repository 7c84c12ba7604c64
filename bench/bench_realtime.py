"""Measure the fan-out: ``python bench/bench_realtime.py [--clients 100 500 1000] [--rounds 5]``.

Each contender is a separate server process with its own crowd; the crowd and the writer share the cores
with the server. All contenders are connected, warm and idle before the first measurement. Our servers and
the bare server alternate, and the figures are medians over the rounds. Times run from the commit (for
Channels: from the call of ``group_send``) to the socket of the listener.

**Burst**: 2,000 events in 40 transactions, as fast as one process commits. For the bare server the same
process commits the same events, and then hands it the frame of each transaction. Our server reads the log,
and may join events into fewer frames. Channels gets 200 events, one ``group_send`` each: more would take
minutes. **Page**: 2,000 events in one commit. The bare server gets the same frames of 64 KiB that our
server sends, so this figure measures the fan-out alone. Our listeners also acknowledge every second or
third frame, which costs as much as the frames: the figure is shown, but has no goal (decision 12).
**Paced**: 20 events a second for 5 s, one by one.

CPU is the CPU time of the server alone for each delivered event. It includes the server's other work
(sweeps, tail checks, acknowledgements). Memory is the growth of a server for each added and subscribed
socket, while the server already serves a smaller crowd: the memory of the start does not count.
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
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from realtime_goals import Goals  # noqa: E402  # found by the path above
from realtime_publishers import UNHEARD, Bare, Channels, Log, Publisher  # noqa: E402  # the same

from tests.realtime.second_project.processes import SecondProject  # noqa: E402  # found by the path above
from tests.support.running_system import free_port  # noqa: E402  # found by the path above
from tests.support.valkey import ValkeyServer  # noqa: E402  # the same

HERE = Path(__file__).parent
BURST, BATCH, CHANNELS_BURST = 2000, 50, 200
PACE, PACED = 20, 100
WINDOW_MS = 30
SMALLEST = 50
"""The size of the first crowd, which warms the server and gives no figure."""
BARE, UVICORN, DAPHNE = "bare", "ours on uvicorn", "ours on daphne"
STREAMS = {UVICORN: "chess", DAPHNE: "choir"}
CHANNELS = {"channels, pubsub": "pubsub", "channels, core": "core"}
_HEADINGS = (
    f"{'':18}{'clients':>8}{'burst/s':>11}{'of bare':>8}{'p50':>7}{'p99 ms':>8}{'us CPU':>8}"
    f"{'page/s':>12}{'of bare':>8}{'us CPU':>8}{'paced p50':>11}{'p99 ms':>10}{'us CPU':>8}"
    f"{'lost':>7}{'KB each':>9}"
)
Figures = dict[str, float]


class Contender:
    """A server and its crowd."""

    def __init__(
        self, name: str, pid: int, port: int, publisher: Publisher, stream: str = UNHEARD
    ) -> None:
        self.name, self.pid, self.publisher = name, pid, publisher
        self.size = 0
        self.memory_each = 0.0
        """Memory for each socket of the last growth, in KB."""
        command = [sys.executable, str(HERE / "realtime_crowd.py"), str(port), stream]
        self._crowd: Any = subprocess.Popen(  # noqa: S603  # a file of this repository
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def grow(self, sessions: list[str]) -> None:
        _wait_until_idle(self.pid)
        before = _memory(self.pid)
        self._ask("grow", sessions)
        _wait_until_idle(self.pid)
        self.size += len(sessions)
        self.memory_each = (_memory(self.pid) - before) / len(sessions)

    def round(self, events: int, batch: int, per_second: float = 0) -> Figures:
        _wait_until_idle(self.pid)
        first = self.publisher.first()
        self._ask("round", first, first + events - 1)
        before = _cpu(self.pid)
        committed = self.publisher.publish(events, batch, per_second)
        self._hear("done")
        _wait_until_idle(self.pid)
        used = _cpu(self.pid) - before
        figures: Figures = self._ask("committed", committed)
        if figures["astray"]:
            raise RuntimeError(f"{self.name} sent events out of order.")
        figures["rate"] = figures["deliveries"] / figures["seconds"]
        figures["cpu"] = used * 1e6 / max(figures["deliveries"], 1)
        return figures

    def close(self) -> None:
        self._crowd.kill()
        self._crowd.wait()

    def _ask(self, *command: Any) -> Any:
        self._crowd.stdin.write(json.dumps(command) + "\n")
        self._crowd.stdin.flush()
        return self._hear()

    def _hear(self, expected: str | None = None) -> Any:
        line = self._crowd.stdout.readline()
        if not line or (expected and json.loads(line) != expected):
            raise RuntimeError(f"The crowd of {self.name} has ended: {line!r}")
        return json.loads(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 500, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-channels", action="store_true")
    asked = parser.parse_args()
    sizes = sorted(asked.clients)
    goals = Goals()
    with _project() as (project, redis_url):
        sessions = project.write("members", "ann", max(sizes), *STREAMS.values())
        print(_HEADINGS)  # noqa: T201
        three = [
            _bare(project, redis_url),
            *(_ours(name, project) for name in (UVICORN, DAPHNE)),
        ]
        table = _measure(three, sizes, sessions, BURST, BURST, asked.rounds)
        if not asked.without_channels:
            for name, kind in CHANNELS.items():
                one = [_channels(name, kind, project, redis_url)]
                table |= _measure(one, sizes, sessions, CHANNELS_BURST, 0, 1)
    _judge(goals, table, sizes)
    goals.report()


@contextmanager
def _project() -> Iterator[tuple[SecondProject, str]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        valkey = ValkeyServer(Path(directory))
        # The default sweep, and the connection age of the project.
        settings = {"PROJECT_SWEEP": "4", "PROJECT_CONN_MAX_AGE": "60"}
        project = SecondProject(f"sqlite:///{directory}/project.sqlite3", valkey.url, **settings)
        try:
            yield project, valkey.url
        finally:
            project.close()
            valkey.stop()


def _ours(name: str, project: SecondProject) -> Contender:
    port = project.serve("uvicorn" if name == UVICORN else "daphne")
    stream = f"club:{STREAMS[name]}"  # separate, so that each server sees only its rounds
    return Contender(name, project.servers[port].pid, port, Log(project, stream), stream)


def _bare(project: SecondProject, redis_url: str) -> Contender:
    return _start(BARE, "bare", project, redis_url, Bare(project, redis_url, (1, BATCH, BURST)))


def _channels(name: str, kind: str, project: SecondProject, redis_url: str) -> Contender:
    return _start(name, kind, project, redis_url, Channels(project, redis_url, kind))


def _start(
    name: str, kind: str, project: SecondProject, redis_url: str, publisher: Publisher
) -> Contender:
    port = free_port()
    command = [sys.executable, str(HERE / "realtime_contenders.py"), kind, str(port), redis_url]
    project.servers[port] = subprocess.Popen(command)  # noqa: S603  # a file of this repository
    _wait_for(port)
    return Contender(name, project.servers[port].pid, port, publisher)


def _measure(
    contenders: list[Contender],
    sizes: list[int],
    sessions: list[str],
    burst: int,
    page: int,
    rounds: int,
) -> dict[tuple[str, int], Figures]:
    kinds = {"": (burst, BATCH, 0), "paced ": (PACED, 1, PACE)}
    if page:
        kinds["page "] = (page, page, 0)
    table: dict[tuple[str, int], Figures] = {}
    for size in [SMALLEST, *sizes]:
        for contender in contenders:
            contender.grow(_who(contender, sessions[contender.size : size]))
            contender.round(burst, BATCH)
            contender.round(PACE, 1, PACE)
        figures: dict[str, dict[str, list[Figures]]] = {}
        for kind, what in kinds.items():
            for _ in range(rounds if size != SMALLEST else 1):
                for contender in contenders:
                    mine = figures.setdefault(contender.name, {})
                    mine.setdefault(kind, []).append(contender.round(*what))
        for contender in contenders:
            row = _medians(figures[contender.name])
            row["KB"] = contender.memory_each
            if size != SMALLEST:
                table[contender.name, size] = row
                bare = table.get((BARE, size), row)
                for rate in ("rate", "page rate") if page else ():
                    row[f"{rate} of bare"] = row[rate] / bare[rate]
                print(_row(contender.name, size, row), flush=True)  # noqa: T201
    for contender in contenders:
        contender.close()
    return table


def _who(contender: Contender, sessions: list[str]) -> list[str]:
    return sessions if contender.name in {UVICORN, DAPHNE} else [""] * len(sessions)


def _medians(rounds: dict[str, list[Figures]]) -> Figures:
    medians = {
        kind + name: median(figures[name] for figures in taken)
        for kind, taken in rounds.items()
        for name in taken[0]
    }
    medians["lost"] = sum(figures["lost"] for taken in rounds.values() for figures in taken)
    return medians


def _row(name: str, size: int, of: Figures) -> str:
    def cell(figure: str, width: int, digits: int) -> str:
        return f"{of[figure]:>{width},.{digits}f}" if figure in of else " " * width

    columns = (
        ("rate", 11, 0), ("rate of bare", 8, 2), ("p50", 7, 0), ("p99", 8, 0), ("cpu", 8, 2),
        ("page rate", 12, 0), ("page rate of bare", 8, 2), ("page cpu", 8, 2),
        ("paced p50", 11, 1), ("paced p99", 10, 1), ("paced cpu", 8, 1), ("lost", 7, 0), ("KB", 9, 0),
    )  # fmt: skip
    return f"{name:18}{size:>8}" + "".join(cell(*column) for column in columns)


def _judge(goals: Goals, table: dict[tuple[str, int], Figures], sizes: list[int]) -> None:
    for size in sizes:
        bare = table[BARE, size]
        for name, share, times in ((UVICORN, 0.85, 5), (DAPHNE, 0.6, 12)):
            ours = table[name, size]
            whose = f"{name}, {size} clients: "
            goals.at_least(
                f"{whose}burst, deliveries/s divided by those of bare", share, ours["rate of bare"]
            )
            if size == sizes[-1]:
                most = times * bare["paced p99"] + WINDOW_MS
                goals.at_most(
                    f"{whose}paced p99 ms, goal {times} x bare + window", most, ours["paced p99"]
                )
            goals.at_most(f"{whose}KB per connection", 40, ours["KB"])
            goals.at_most(f"{whose}events lost", 0, ours["lost"])
            for channels in CHANNELS:
                if other := table.get((channels, size)):
                    goals.at_least(
                        f"{whose}CPU per delivery in the burst, {channels} divided by ours",
                        10,
                        other["cpu"] / ours["cpu"],
                    )


def _wait_for(port: int) -> None:
    import socket

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("A contender did not start.")


def _wait_until_idle(pid: int) -> None:
    """Wait until the process uses less than a twentieth of a core for 0.3 s."""
    deadline = time.monotonic() + 60
    calm = 0
    while calm < 3 and time.monotonic() < deadline:
        before = _cpu(pid)
        time.sleep(0.1)
        calm = calm + 1 if _cpu(pid) - before < 0.005 else 0


def _cpu(pid: int) -> float:
    """Return the CPU seconds of all threads of a process (Linux: clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def _memory(pid: int) -> float:
    """Return the resident size in KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    main()
