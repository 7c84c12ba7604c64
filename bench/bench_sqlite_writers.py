"""Measure writers of one SQLite file: ``python bench/bench_sqlite_writers.py [--seconds 2] [--rounds 3]``.

Processes with threads write short transactions (three updates and three inserts) without a pause, through
Django's backend and through the project's, in turn. For each: transactions a second, the share of the process
that wrote least, and the waits until a transaction could begin. Figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, cast

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure, say  # noqa: E402  # found by the path above

BACKENDS = {"Django": "django.db.backends.sqlite3", "project": "koinonia.database.sqlite"}
CROWDS = ((1, 1), (2, 1), (2, 8))
"""(processes, threads of each)"""


@dataclass(frozen=True, slots=True)
class Run:
    per_second: float
    least_share: float
    p50: float
    p99: float
    longest: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", nargs=3, metavar=("BACKEND", "FILE", "THREADS"))
    asked = parser.parse_args()
    if asked.write:
        backend, file, threads = asked.write
        return _write(backend, file, int(threads), asked.seconds)
    head = ("writers", "backend", "tx/s", "least share", "p50 ms", "p99 ms", "longest ms")
    say("".join(f"{word:>13}" for word in head))
    for crowd in CROWDS:
        runs: dict[str, list[Run]] = {name: [] for name in BACKENDS}
        for _ in range(asked.rounds):
            for name, backend in BACKENDS.items():
                runs[name].append(_run(backend, *crowd, asked.seconds))
        for name in BACKENDS:
            _say_row(crowd, name, runs[name])
        ratios = [a.per_second / b.per_second for a, b in zip(*runs.values(), strict=True)]
        print_figure(f"sqlite_writers_{crowd[0]}x{crowd[1]}", 1 / median(ratios), "x")
    return None


def _say_row(crowd: tuple[int, int], name: str, runs: list[Run]) -> None:
    figures = (
        f"{median(run.per_second for run in runs):.0f}",
        f"{median(run.least_share for run in runs):.2f}",
        *(
            f"{median(getattr(run, column) for run in runs) * 1000:.1f}"
            for column in ("p50", "p99", "longest")
        ),
    )
    say("".join(f"{word:>13}" for word in (f"{crowd[0]} x {crowd[1]}", name, *figures)))


def _run(backend: str, processes: int, threads: int, seconds: float) -> Run:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        file = f"{directory}/writers.sqlite3"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(
                "PRAGMA journal_mode=WAL; CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER);"
                "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);"
                "INSERT INTO counter VALUES (1, 0);"
            )
        order = ["--seconds", str(seconds), "--write", backend, file, str(threads)]
        running = [
            subprocess.Popen(  # noqa: S603 -- this file
                [sys.executable, __file__, *order],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        for process in running:
            cast(IO[str], process.stdout).readline()  # It is ready.
        for process in running:
            cast(IO[str], process.stdin).write("go\n")
            cast(IO[str], process.stdin).flush()
        waits = [json.loads(process.communicate()[0]) for process in running]
    every = sorted(wait for of_process in waits for wait in of_process)
    return Run(
        len(every) / seconds,
        min(map(len, waits)) * processes / len(every),
        every[len(every) // 2],
        every[int(len(every) * 0.99)],
        every[-1],
    )


def _write(backend: str, file: str, threads: int, seconds: float) -> None:
    import django
    from django.conf import settings

    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    settings.configure(
        DATABASES={"default": {"ENGINE": backend, "NAME": file, "OPTIONS": options}},
        INSTALLED_APPS=[],
    )
    django.setup()
    say("ready")
    sys.stdin.readline()
    waits: list[float] = []
    end = time.monotonic() + seconds
    running = [threading.Thread(target=_keep_writing, args=(end, waits)) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    say(json.dumps(waits))


def _keep_writing(end: float, waits: list[float]) -> None:
    from django.db import connection, transaction

    while (began := time.monotonic()) < end:
        with transaction.atomic():
            waits.append(time.monotonic() - began)
            with connection.cursor() as cursor:
                for _ in range(3):
                    cursor.execute("UPDATE counter SET n = n + 1 WHERE id = 1")
                    cursor.execute("INSERT INTO event (body) VALUES (%s)", ["x" * 300])
    connection.close()


if __name__ == "__main__":
    main()
