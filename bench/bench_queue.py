"""Measure delivery beside task queues: ``python bench/bench_queue.py [--texts 5000] [--rounds 3]``.

Every contender has one worker, the same PostgreSQL and Valkey, and the same texts: small HTTP posts to a sink
that answers after 20 ms. The rounds alternate between the contenders. Then each one loses its worker by
``kill -9`` in the middle, loses a transaction by a rollback, and meets an answer 503. A contender that is not
installed is named and left out, and without any of them nothing is measured: ``pip install -r
bench/requirements-queue.txt``, best into a private virtual environment that sees the packages of ``.venv`` by
a ``.pth`` file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure, say  # noqa: E402  # found by the path above
from process_cost import cpu_seconds  # noqa: E402  # found by the path above
from queue_peers import PEERS, Peer, Running, running, wait_for, wait_for_rest  # noqa: E402  # found by the path above

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # found by the path above
from tests.support.valkey import ValkeyServer  # noqa: E402  # found by the path above

_SLOW_ANSWER = 0.3
"""Seconds for an answer where the worker is killed: as slow as a carrier, so that calls are under way."""
_KILLED_TEXTS = 400
_GIVE_UP_SECONDS = 120
"""Longer than any lease, time-out or schedule of the contenders as they are set up here."""


@dataclass(frozen=True)
class Servers:
    environment: dict[str, str]
    directory: Path
    roots: dict[str, int]

    def cpu(self) -> dict[str, float]:
        return {name: cpu_seconds([pid]) for name, pid in self.roots.items()}


@contextmanager
def servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        valkey = ValkeyServer(directory)
        postgres = EmbeddedPostgres(directory / "postgres")
        try:
            pid = (postgres.directory / "data" / "postmaster.pid").read_text().split()[0]
            environment = os.environ | {
                "DJANGO_SETTINGS_MODULE": "queue_settings",
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'bench'}",
                "PYTHONWARNINGS": "ignore",
                "BENCH_DATABASE": postgres.url,
                "BENCH_REDIS_SOCKET": str(valkey.socket),
            }
            subprocess.run(
                [sys.executable, "-m", "django", "migrate", "-v0"],
                cwd=ROOT, env=environment, check=True,
            )  # fmt: skip
            roots = {"Valkey": valkey.process.pid, "PostgreSQL": int(pid)}
            yield Servers(environment, directory, roots)
        finally:
            postgres.stop()
            valkey.stop()


def throughput(there: Servers, peer: Peer, texts: int) -> dict[str, float]:
    """Return texts per second, and the milliseconds of CPU per text by group of processes."""
    with running(peer, there.environment, there.directory) as queue:
        wait_for_rest(lambda: queue.cpu() + sum(there.cpu().values()))
        before = there.cpu() | {"worker": queue.cpu()}
        enqueued = queue.enqueue(texts, "Rate")
        wait_for(lambda: queue.count() == texts + 1, 600)
        wait_for_rest(lambda: queue.cpu() + sum(there.cpu().values()))
        after = there.cpu() | {"worker": queue.cpu()}
        arrivals = sorted(at for text, at in queue.arrivals().items() if text.startswith("Rate"))
    cost = {name: (after[name] - before[name]) * 1000 / texts for name in before}
    cost["enqueue"] = enqueued["cpu"] * 1000 / texts
    return cost | {
        "all": sum(cost.values()),
        "per second": (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]),
        "enqueue seconds": enqueued["seconds"],
    }


def killed(there: Servers, peer: Peer, texts: int) -> str:
    """Kill the worker after a third of the texts, start it again at once, and tell what came of the texts."""
    with running(peer, there.environment, there.directory, _SLOW_ANSWER) as queue:
        queue.stop()
        queue.enqueue(texts, "Killed")  # before, so that the worker has much in hand when it dies
        queue.start()
        wait_for(lambda: queue.count() > texts / 3, 600)
        queue.kill()
        at = time.time()
        before = queue.count() - 1
        queue.start()
        _wait_for_the_last(queue, texts + 1)
        posts, arrivals = _but_the_warm_up(queue.posts()), _but_the_warm_up(queue.arrivals())
    return told_of(posts, arrivals, before=before, texts=texts, at=at)


def told_of(
    posts: dict[str, dict[str, int]],
    arrivals: dict[str, float],
    *,
    before: int,
    texts: int,
    at: float,
) -> str:
    """Tell what came of the texts whose worker was killed at the Unix time ``at``."""
    lost = f"{before} posted before; lost {texts - len(posts)}"
    after = sorted(moment for moment in arrivals.values() if moment > at + 0.1)
    if not after:
        return f"{lost}; nothing was posted after the kill"
    again = [keys for keys in posts.values() if sum(keys.values()) > 1]
    return (
        f"{lost}; posted again {len(again)}, of them with another key "
        f"{sum(len(keys) > 1 for keys in again)}; "
        f"first after {after[0] - at:.1f} s, last after {after[-1] - at:.1f} s"
    )


def _but_the_warm_up(found: dict[str, Any]) -> dict[str, Any]:
    return {text: value for text, value in found.items() if text.startswith("Killed")}


def _wait_for_the_last(queue: Running, texts: int) -> None:
    """Wait until all have arrived and 5 s more, or until nothing has come for long."""
    said, since = -1, time.monotonic()
    while time.monotonic() - since < (5 if said >= texts else _GIVE_UP_SECONDS):
        posted = queue.count()
        if posted != said:
            said, since = posted, time.monotonic()
        time.sleep(0.2)


def rolled_back(there: Servers, peer: Peer) -> str:
    with running(peer, there.environment, there.directory) as queue:
        queue.enqueue(10, "Undone", "--roll-back")
        queue.enqueue(1, "After")
        wait_for(lambda: "After 0" in queue.arrivals(), 60)
        undone = sum(text.startswith("Undone") for text in queue.arrivals())
    return f"{undone} of 10 texts of a transaction that was rolled back were sent"


def failing(there: Servers, peer: Peer) -> str:
    with running(peer, there.environment, there.directory) as queue:
        queue.enqueue(1, "Busy [fails 2]")
        until = time.monotonic() + 30
        while time.monotonic() < until and _posts_of(queue, "Busy")[0] < 3:
            time.sleep(0.2)
        posts, keys = _posts_of(queue, "Busy")
    return f"a text with two answers 503 was posted {posts} times with {keys} key(s)"


def _posts_of(queue: Running, word: str) -> tuple[int, int]:
    found = [keys for text, keys in queue.posts().items() if text.startswith(word)]
    return sum(sum(keys.values()) for keys in found), sum(len(keys) for keys in found)


def report(measured: dict[str, list[dict[str, float]]]) -> None:
    columns = ("per second", "all", "worker", "PostgreSQL", "Valkey", "enqueue", "enqueue seconds")
    say(f"\n{'':28}" + "".join(f"{name:>17}" for name in columns))
    ours = measured["delivery"]
    for name, rounds in measured.items():
        if not rounds:
            continue
        figures = [median(found[column] for found in rounds) for column in columns]
        say(f"{name:28}" + "".join(f"{figure:17.2f}" for figure in figures))
        pairs = zip(rounds, ours, strict=False)
        ratio = median(one["all"] / other["all"] for one, other in pairs)
        print_figure(f"queue_cpu_to_delivery {name}", ratio, "x")


def contenders(only: Sequence[str]) -> list[Peer]:
    found = []
    for peer in PEERS:
        known = peer.installed()
        if known is None:
            say(f"not installed: {peer.package} (bench/requirements-queue.txt)")
        elif not only or peer.name in only:
            say(f"{peer.name}: {known}")
            found.append(peer)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=1, help="kills of each worker")
    parser.add_argument("--only", action="append", default=[], help="a contender, repeatable")
    options = parser.parse_args()
    peers = contenders(options.only)
    if not options.only and not any(peer.optional for peer in peers):
        say("skipped: there is no other task queue to measure")
        return
    measured: dict[str, list[dict[str, float]]] = {"delivery": []}
    with servers() as there:
        for number in range(options.rounds):
            for peer in peers:
                found = throughput(there, peer, options.texts)
                measured.setdefault(peer.name, []).append(found)
                load = os.getloadavg()[0]
                say(f"round {number + 1}, {peer.name}: {found['per second']:.0f} texts/s, "
                    f"{found['all']:.2f} ms of CPU, load {load:.1f}")  # fmt: skip
        if options.rounds:
            report(measured)
        for _ in range(options.kills):
            for peer in peers:
                say(
                    f"killed, {peer.name}: {killed(there, peer, min(options.texts, _KILLED_TEXTS))}"
                )
        for peer in peers:
            say(f"{peer.name}: {rolled_back(there, peer)}; {failing(there, peer)}")


if __name__ == "__main__":
    main()
