"""Profiles of a running system: py-spy for Python, pg_stat_statements for PostgreSQL.

py-spy is not a dependency: install it into any environment and put its ``bin`` on PATH. It slows the processes,
so compare a profiled run only with another profiled run.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from system_parts import Parts

GROUPS = ("web", "worker")
_OURS = ("delivery/", "httpopt/", "koinonia/", "realtime/", "throttling/")
_SAMPLES_PER_SECOND = 200
_SHOWN = 30
_STATEMENTS = """
    SELECT sum(calls)::float, sum(total_exec_time), sum(shared_blks_hit + shared_blks_read)::float, min(query)
    FROM pg_stat_statements GROUP BY left(query, 90) ORDER BY sum(total_exec_time) DESC LIMIT %s
"""


@contextmanager
def profiled(parts: Parts, directory: Path, texts: int) -> Iterator[None]:
    """Profile the block, and write ``web.txt``, ``worker.txt`` and ``statements.txt``."""
    program = shutil.which("py-spy")
    if program is None:
        sys.exit("There is no py-spy on PATH.")
    directory.mkdir(parents=True, exist_ok=True)
    _forget_statements(parts)
    sampling = [
        subprocess.Popen(  # noqa: S603  # a program of the caller's choice
            [
                program, "record", "--pid", str(pid), "--subprocesses", "--gil", "--format", "raw",
                "--rate", str(_SAMPLES_PER_SECOND), "--duration", "3600",
                "--output", str(directory / f"{group}.raw"),
            ],
            stdout=subprocess.DEVNULL,
        )
        for group in GROUPS for pid in parts.processes[group][:1]
    ]  # fmt: skip
    try:
        yield
    finally:
        for process in sampling:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    for group in GROUPS:
        lines = (directory / f"{group}.raw").read_text().splitlines()
        (directory / f"{group}.txt").write_text(shares(lines))
    _write_statements(parts, directory / "statements.txt", texts)


def shares(stacks: Sequence[str]) -> str:
    """Return the functions with the largest shares, alone and with their callees."""
    alone: Counter[str] = Counter()
    with_callees: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        # A line number per frame would split a function into many entries.
        names = [frame.rpartition(":")[0] + ")" for frame in frames.split(";") if "(" in frame]
        if names:
            alone[names[-1]] += int(count)
            ours = [name for name in names if name.partition("(")[2].startswith(_OURS)]
            with_callees.update(dict.fromkeys(ours, int(count)))
    total = alone.total() or 1
    lines = [f"{total} samples with the GIL"]
    for title, counts in (
        ("of itself", alone),
        ("of our functions with their callees", with_callees),
    ):
        lines.append(f"\n{title}, %")
        lines += [f"{n * 100 / total:6.1f}  {name}" for name, n in counts.most_common(_SHOWN)]
    return "\n".join(lines) + "\n"


def _forget_statements(parts: Parts) -> None:
    if parts.database_url:
        with psycopg.connect(parts.database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_stat_statements_reset()")


def _write_statements(parts: Parts, file: Path, texts: int) -> None:
    if parts.database_url:
        with psycopg.connect(parts.database_url) as connection:
            rows = connection.execute(_STATEMENTS, [_SHOWN]).fetchall()
        lines = ["ms per text  calls per 100 texts  mean ms  pages per text  statement"]
        lines += [
            f"{total / texts:11.3f}{calls * 100 / texts:21.1f}{total / calls:9.2f}{pages / texts:16.1f}  "
            f"{' '.join(query.split())[:150]}"
            for calls, total, pages, query in rows
        ]
        file.write_text("\n".join(lines) + "\n")
