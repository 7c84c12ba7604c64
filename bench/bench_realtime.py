"""Measures the fan-out: ``python bench/bench_realtime.py [--clients 100 500 1000]``.

One run, all contenders, each a server process of its own; the crowd of listeners and the writer are
further processes on the same cores. A burst is 200 events in four transactions, and the bare server
gets the same four frames; the Channels way is one ``group_send`` per event. Paced is 20 events a
second for 5 s. Read the ratios: absolute figures are the machine's. CPU is the server's alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import realtime_contenders as contenders  # noqa: E402  # found by the path above

from tests.realtime.club import Club, free_port  # noqa: E402  # found by the path above
from tests.valkey import ValkeyServer  # noqa: E402  # found by the path above

BURST, BATCH = 200, 50
PACE, PACED = 20, 100
STREAM = "club:chess"
_HEADINGS = (
    f"{'':20}{'clients':>8}{'burst/s':>10}{'us CPU':>8}{'lost':>7}"
    f"{'paced p50':>11}{'p99 ms':>9}{'us CPU':>8}{'lost':>7}{'KB each':>9}"
)
HERE = Path(__file__).parent
Publish = Callable[[int, int, float], None]
"""Events, how many in one frame, how many a second (0: all at once)."""


@dataclass
class Contender:
    name: str
    process: subprocess.Popen[Any]
    port: int
    publish: Publish
    who: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[100, 500, 1000])
    clients = parser.parse_args().clients
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        valkey = ValkeyServer(Path(directory))
        club = Club(
            f"sqlite:///{directory}/club.sqlite3", valkey.url, ALONE_SOCKETS="5000", ALONE_SWEEP="4"
        )
        session = club.write("member", "ann", "chess")
        print(_HEADINGS)  # noqa: T201
        for count in clients:
            for name in ("bare", "ours on uvicorn", "ours on daphne", "pubsub", "core"):
                contender = _start(name, club, valkey.url, session)
                try:
                    print(f"{name:20}{count:>8}" + _measure(contender, count), flush=True)  # noqa: T201
                finally:
                    contender.process.kill()
                    contender.process.wait()
        club.servers.clear()
        club.close()
        valkey.stop()


def _start(name: str, club: Club, redis_url: str, session: str) -> Contender:
    if name.startswith("ours"):
        port = club.serve("uvicorn" if "uvicorn" in name else "daphne")

        def append(events: int, batch: int, pace: float) -> None:
            club.write("append_stamped", STREAM, events, batch, pace)

        return Contender(name, club.servers[port], port, append, [STREAM, session])
    port = free_port()
    script = str(HERE / "realtime_contenders.py")
    process = subprocess.Popen([sys.executable, script, name, str(port), redis_url])  # noqa: S603  # our own server
    _wait_for(port)
    return Contender(name, process, port, _publisher(name, redis_url), [])


def _wait_for(port: int) -> None:
    import socket

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("A contender did not start.")


def _event() -> str:
    return json.dumps({"seq": 1, "data": {"t": time.monotonic_ns(), "pad": "x" * 160}}).replace(
        '"t": ', '"t":'
    )


def _publisher(name: str, redis_url: str) -> Publish:
    def broadcast(events: int, batch: int, pace: float) -> None:
        with redis.Redis.from_url(redis_url) as client:
            for _ in range(events // batch):
                client.publish(contenders.GROUP, ",".join(_event() for _ in range(batch)))
                time.sleep(batch / pace if pace else 0)

    def send_each(events: int, batch: int, pace: float) -> None:
        class Texts(list[str]):
            def __iter__(self) -> Any:
                return (_event() for _ in range(events))

        pause = 1 / pace if pace else 0
        asyncio.run(contenders.send_to_group(name, redis_url, Texts(), pause))

    return broadcast if name == "bare" else send_each


def _measure(contender: Contender, count: int) -> str:
    empty = _memory(contender.process.pid)
    burst, burst_cpu, full = _run(contender, count, BURST, BATCH, 0)
    paced, paced_cpu, _ = _run(contender, count, PACED, 1, PACE)
    rate = burst["deliveries"] / burst["seconds"]
    return (
        f"{rate:>10,.0f}{burst_cpu:>8.1f}{burst['lost']:>7}"
        f"{paced['p50']:>11.1f}{paced['p99']:>9.1f}{paced_cpu:>8.1f}{paced['lost']:>7}"
        f"{(full - empty) / count:>9.0f}"
    )


def _run(
    contender: Contender, count: int, events: int, batch: int, pace: float
) -> tuple[dict[str, float], float, float]:
    """The crowd's figures, the server's microseconds of CPU per delivery, its memory when full."""
    arguments = [contender.port, count, events, 60, *contender.who]
    crowd: Any = subprocess.Popen(  # noqa: S603  # our own client
        [sys.executable, str(HERE / "realtime_crowd.py"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    if crowd.stdout.readline() != "ready\n":
        raise RuntimeError(f"The crowd did not get in to {contender.name}.")
    full = _memory(contender.process.pid)
    before = _cpu(contender.process.pid)
    contender.publish(events, batch, pace)
    figures: dict[str, float] = json.loads(crowd.stdout.readline())
    used = _cpu(contender.process.pid) - before
    crowd.wait()
    crowd.stdout.close()
    return figures, used * 1e6 / max(figures["deliveries"], 1), full


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Resident, in KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    main()
