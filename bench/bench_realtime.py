"""Measures the fan-out: ``python bench/bench_realtime.py [--clients 100 500 1000] [--rounds 5]``.

Each contender is a server process of its own with a crowd of its own; the crowd and the writer share
the cores with it. All are connected, warm and idle before anything is measured, and ours and the bare
server take their rounds in turn; the figures are medians over the rounds.

A burst is 2,000 events in one commit, so that the writer's speed does not count (bench_realtime_log
has that), and the bare server gets the very frames that our readers get. Channels gets 200, one
``group_send`` each: more would take minutes. Paced is 20 events a second for 5 s, one by one. Times
are from the commit, or from handing over to Redis, to the listener's socket. CPU is the server's
alone, per event delivered, what it does beside (sweeps, tail checks, acknowledgements) included.
Memory is what a server has grown by since the last, smaller crowd, per socket added: what it needs
to start does not count, what a used socket keeps does.
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
from realtime_publishers import STREAM, Bare, Channels, Log, Publisher  # noqa: E402  # the same

from tests.realtime.club import Club, free_port  # noqa: E402  # the same
from tests.valkey import ValkeyServer  # noqa: E402  # the same

HERE = Path(__file__).parent
BURST, CHANNELS_BURST = 2000, 200
PACE, PACED = 20, 100
WINDOW_MS = 30
SMALLEST = 50
"""The first crowd, that no figure is taken from: it warms."""
BARE, UVICORN, DAPHNE = "bare", "ours on uvicorn", "ours on daphne"
CHANNELS = {"channels, pubsub": "pubsub", "channels, core": "core"}
_HEADINGS = (
    f"{'':18}{'clients':>8}{'burst/s':>12}{'of bare':>8}{'p50':>7}{'p99 ms':>8}{'us CPU':>8}{'lost':>6}"
    f"{'  paced p50':>11}{'p99 ms':>9}{'us CPU':>8}{'lost':>6}{'KB each':>9}"
)
Figures = dict[str, float]


class Contender:
    """A server and its crowd."""

    def __init__(self, name: str, pid: int, port: int, publisher: Publisher) -> None:
        self.name, self.pid, self.publisher = name, pid, publisher
        self.size, self.added = 0, 0
        self.memory = 0.0
        command = [sys.executable, str(HERE / "realtime_crowd.py"), str(port), STREAM]
        self._crowd: Any = subprocess.Popen(  # noqa: S603  # our own client
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def grow(self, sessions: list[str]) -> None:
        self._ask("grow", sessions)
        self.size += len(sessions)
        self.added = len(sessions)

    def burst(self, events: int) -> Figures:
        return self._round(events, lambda: self.publisher.burst(events))

    def paced(self, events: int) -> Figures:
        return self._round(events, lambda: self.publisher.paced(events, PACE))

    def memory_each(self) -> float:
        """Of the sockets added last, in KB."""
        before, self.memory = self.memory, _memory(self.pid)
        return (self.memory - before) / self.added

    def close(self) -> None:
        self._crowd.kill()
        self._crowd.wait()

    def _round(self, events: int, publish: Any) -> Figures:
        _wait_until_idle(self.pid)
        first = self.publisher.first()
        self._ask("round", first, first + events - 1, 90)
        before = _cpu(self.pid)
        committed = publish()
        self._hear("done")
        _wait_until_idle(self.pid)
        used = _cpu(self.pid) - before
        figures: Figures = self._ask("committed", committed)
        if figures["astray"]:
            raise RuntimeError(f"{self.name} sent out of order.")
        figures["rate"] = figures["deliveries"] / figures["seconds"]
        figures["cpu"] = used * 1e6 / max(figures["deliveries"], 1)
        return figures

    def _ask(self, *command: Any) -> Any:
        self._crowd.stdin.write(json.dumps(command) + "\n")
        self._crowd.stdin.flush()
        return self._hear()

    def _hear(self, expected: str | None = None) -> Any:
        line = self._crowd.stdout.readline()
        if not line or (expected and json.loads(line) != expected):
            raise RuntimeError(f"The crowd of {self.name} is gone: {line!r}")
        return json.loads(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 500, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-channels", action="store_true")
    asked = parser.parse_args()
    sizes = sorted(asked.clients)
    goals = Goals()
    with _club() as (club, redis_url):
        sessions = club.write("members", "ann", max(sizes), "chess")
        club.write("append_timed", STREAM, BURST, BURST, 0)
        print(_HEADINGS)  # noqa: T201
        three = [
            _bare(club, redis_url),
            *(_ours(name, club) for name in (UVICORN, DAPHNE)),
        ]
        table = _measure(three, sizes, sessions, BURST, asked.rounds)
        if not asked.without_channels:
            for name, kind in CHANNELS.items():
                table |= _measure(
                    [_channels(name, kind, club, redis_url)], sizes, sessions, CHANNELS_BURST, 1
                )
    _judge(goals, table, sizes)
    goals.report()


@contextmanager
def _club() -> Iterator[tuple[Club, str]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        valkey = ValkeyServer(Path(directory))
        # The default sweep, and connections kept as the project keeps them.
        settings = {"ALONE_SWEEP": "4", "ALONE_CONN_MAX_AGE": "60"}
        club = Club(f"sqlite:///{directory}/club.sqlite3", valkey.url, **settings)
        try:
            yield club, valkey.url
        finally:
            club.close()
            valkey.stop()


def _ours(name: str, club: Club) -> Contender:
    port = club.serve("uvicorn" if name == UVICORN else "daphne")
    return Contender(name, club.servers[port].pid, port, Log(club))


def _bare(club: Club, redis_url: str) -> Contender:
    return _start(BARE, "bare", club, redis_url, Bare(club, redis_url, BURST))


def _channels(name: str, kind: str, club: Club, redis_url: str) -> Contender:
    return _start(name, kind, club, redis_url, Channels(club, redis_url, kind))


def _start(name: str, kind: str, club: Club, redis_url: str, publisher: Publisher) -> Contender:
    port = free_port()
    command = [sys.executable, str(HERE / "realtime_contenders.py"), kind, str(port), redis_url]
    club.servers[port] = subprocess.Popen(command)  # noqa: S603  # our own server
    _wait_for(port)
    return Contender(name, club.servers[port].pid, port, publisher)


def _measure(
    contenders: list[Contender], sizes: list[int], sessions: list[str], burst: int, rounds: int
) -> dict[tuple[str, int], Figures]:
    table: dict[tuple[str, int], Figures] = {}
    for contender in contenders:
        contender.grow(_who(contender, sessions[:SMALLEST]))
        contender.burst(burst)
        contender.paced(PACE)
        contender.memory_each()
    for size in sizes:
        for contender in contenders:
            contender.grow(_who(contender, sessions[contender.size : size]))
            contender.burst(burst)
        bursts = [[contender.burst(burst) for contender in contenders] for _ in range(rounds)]
        paced = [
            [contender.paced(PACED) for contender in contenders] for _ in range((rounds + 1) // 2)
        ]
        for contender, *figures in zip(
            contenders, zip(*bursts, strict=True), zip(*paced, strict=True), strict=True
        ):
            mine = _medians(*figures)
            mine["KB"] = contender.memory_each()
            table[contender.name, size] = mine
            bare = table.get((BARE, size))
            mine["of bare"] = mine["rate"] / bare["rate"] if bare else 0
            print(_row(contender.name, size, mine), flush=True)  # noqa: T201
    for contender in contenders:
        contender.close()
    return table


def _who(contender: Contender, sessions: list[str]) -> list[str]:
    return sessions if contender.name in {UVICORN, DAPHNE} else [""] * len(sessions)


def _medians(bursts: tuple[Figures, ...], paced: tuple[Figures, ...]) -> Figures:
    return {
        **{name: median(figures[name] for figures in bursts) for name in bursts[0]},
        **{f"paced {name}": median(figures[name] for figures in paced) for name in paced[0]},
        "lost": sum(figures["lost"] for figures in bursts),
        "paced lost": sum(figures["lost"] for figures in paced),
    }


def _row(name: str, size: int, of: Figures) -> str:
    ratio = f"{of['of bare']:>8.2f}" if of["of bare"] else " " * 8
    return (
        f"{name:18}{size:>8}{of['rate']:>12,.0f}{ratio}{of['p50']:>7.0f}{of['p99']:>8.0f}"
        f"{of['cpu']:>8.2f}{of['lost']:>6.0f}{of['paced p50']:>11.1f}{of['paced p99']:>9.1f}"
        f"{of['paced cpu']:>8.1f}{of['paced lost']:>6.0f}{of['KB']:>9.0f}"
    )


def _judge(goals: Goals, table: dict[tuple[str, int], Figures], sizes: list[int]) -> None:
    for size in sizes:
        bare = table[BARE, size]
        for name, share, times in ((UVICORN, 0.85, 5), (DAPHNE, 0.6, 12)):
            ours = table[name, size]
            whose = f"{name}, {size} clients: "
            goals.at_least(
                f"{whose}burst deliveries/s, of the bare server's", share, ours["of bare"]
            )
            if size == sizes[-1]:
                most = times * bare["paced p99"] + WINDOW_MS
                goals.at_most(
                    f"{whose}paced p99 ms, {times} x bare and the window", most, ours["paced p99"]
                )
            goals.at_most(f"{whose}KB per connection", 40, ours["KB"])
            goals.at_most(f"{whose}events lost", 0, ours["lost"] + ours["paced lost"])
            for channels in CHANNELS:
                if other := table.get((channels, size)):
                    goals.at_least(
                        f"{whose}CPU per delivery in the burst, of {channels}, times less",
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
    """Until it takes less than a twentieth of a core for a while."""
    deadline = time.monotonic() + 60
    calm = 0
    while calm < 3 and time.monotonic() < deadline:
        before = _cpu(pid)
        time.sleep(0.1)
        calm = calm + 1 if _cpu(pid) - before < 0.005 else 0


def _cpu(pid: int) -> float:
    """Seconds that a process has had, all its threads together (Linux: clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def _memory(pid: int) -> float:
    """Resident, in KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    main()
