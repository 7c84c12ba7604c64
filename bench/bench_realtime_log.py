"""Measure appending: ``python bench/bench_realtime_log.py [--seconds 2] [--rounds 5]``.

One process appends to one stream, one transaction after another, on the PostgreSQL of the tests and on
SQLite. Our log alternates with the bare driver, which executes two statements (the UPDATE of the counter, the
INSERT), prepared by the driver. Our log also encodes the event, runs inside Django's transaction and leaves a
notice for Valkey; on PostgreSQL it executes one prepared statement. The transactions of both wait for the disk
equally. Figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure  # noqa: E402  # found by the path above
from realtime_goals import Goals  # noqa: E402  # the same

from tests.realtime.second_project.processes import SecondProject  # noqa: E402  # the same
from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # the same
from tests.support.valkey import ValkeyServer  # noqa: E402  # the same

OURS, BARE = "club:ours", "club:bare"
BATCH = 50
Run = Callable[[int, float], float]
"""(events in one transaction, seconds) -> events a second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    goals = Goals()
    print(f"{'':12}{'events in one':>15}{'ours/s':>10}{'bare/s':>10}{'of bare':>9}")  # noqa: T201
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        valkey = ValkeyServer(directory)
        for database, url in _databases(directory):
            project = SecondProject(
                url, valkey.url, PROJECT_CONN_MAX_AGE="60", PROJECT_PREPARES="1"
            )
            project.write("append", OURS, 1)
            project.write("append", BARE, 1)
            with _bare(url) as bare:
                for batch in (1, BATCH):
                    _measure(goals, database, project, bare, batch, asked)
            project.close()
        valkey.stop()
    goals.report()


def _measure(
    goals: Goals,
    database: str,
    project: SecondProject,
    bare: Run,
    batch: int,
    asked: argparse.Namespace,
) -> None:
    pairs = [
        (float(project.write("append_for", OURS, batch, asked.seconds)), bare(batch, asked.seconds))
        for _ in range(asked.rounds)
    ]
    ours, floor = median(o for o, _ in pairs), median(b for _, b in pairs)
    share = median(o / b for o, b in pairs)
    print(f"{database:12}{batch:>15}{ours:>10,.0f}{floor:>10,.0f}{share:>9.2f}", flush=True)  # noqa: T201
    if batch == 1 and database == "PostgreSQL":
        goals.at_least(
            f"{database}: single appends/s divided by those of the bare driver", 0.8, share
        )
        print_figure("append_to_psycopg", share, "x")
    elif batch > 1:
        goals.at_least(f"{database}: events/s in batches of {batch}", 10_000, ours)


def _databases(directory: Path) -> Iterator[tuple[str, str]]:
    postgres = EmbeddedPostgres(directory / "postgres")
    try:
        yield "PostgreSQL", postgres.url
    finally:
        postgres.stop()
    yield "SQLite", f"sqlite:///{directory}/project.sqlite3"


@contextmanager
def _bare(url: str) -> Iterator[Run]:
    parts = urlsplit(url)
    connection: Any
    if parts.scheme == "sqlite":
        connection = sqlite3.connect(parts.path.removeprefix("/"), isolation_level=None, timeout=20)
        connection.execute("PRAGMA synchronous=NORMAL")
        begin, mark = "BEGIN IMMEDIATE", "?"
    else:
        host = unquote(parts.hostname or "")
        connection = psycopg.connect(
            host=host, user=parts.username, dbname=parts.path[1:], autocommit=True
        )
        begin, mark = "BEGIN", "%s"

    def run(batch: int, seconds: float) -> float:
        row = f"({', '.join([mark] * 5)})"
        update = (
            f"UPDATE realtime_stream SET last_seq = last_seq + {batch} WHERE key = '{BARE}' "  # noqa: S608  # constants of this file
            "RETURNING id, last_seq"
        )
        insert = (
            "INSERT INTO realtime_event (stream_id, seq, type, body, at) VALUES "  # noqa: S608  # the same
            + ", ".join([row] * batch)
        )
        cursor = connection.cursor()
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            now: Any = datetime.now(UTC)
            if mark == "?":
                now = now.isoformat()
            cursor.execute(begin)
            stream, last = cursor.execute(update).fetchone()
            rows = [
                (stream, seq, "message.status", "x" * 250, now)
                for seq in range(last - batch + 1, last + 1)
            ]
            cursor.execute(insert, [value for row in rows for value in row])
            cursor.execute("COMMIT")
            done += batch
        return done / (time.perf_counter() - began)

    try:
        yield run
    finally:
        connection.close()


if __name__ == "__main__":
    main()
