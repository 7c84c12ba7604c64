"""Data directories that systems start from: migrated, with demo data and collected static files.

A system that begins with an empty directory spends two thirds of its start on these. The first process of a
test run that needs them makes them, and every further system gets a copy. ``tests/up`` starts with empty directories.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import django

from koinonia.config import private_data
from koinonia.up import steps
from koinonia.up.processes import Output
from koinonia.up.programs import Options, Plan

_DATABASE = "koinonia.sqlite3"
_COLLECTED = ("static", "static_collected")
_ROOT = Path(__file__).resolve().parent.parent.parent


def fill(data_dir: Path, environment: Mapping[str, str]) -> None:
    """Copy the prepared data to a new directory. Without a folder of a test run, leave it empty."""
    folder = os.environ.get("KOINONIA_TEST_PREPARED")
    if folder is None or (data_dir / _COLLECTED[0]).exists():
        return
    prepared = _prepared(Path(folder), environment)
    private_data.prepare(data_dir)
    static, kept = _COLLECTED
    shutil.copytree(prepared / static, data_dir / static, copy_function=os.link)
    shutil.copy2(prepared / kept, data_dir / kept)
    if "DATABASE_URL" not in environment:
        shutil.copy2(prepared / _DATABASE, data_dir / _DATABASE)
        plan = _plan(data_dir, environment)
        steps.keep_migrated(plan)
        steps.keep_seeded(plan)


def _prepared(folder: Path, environment: Mapping[str, str]) -> Path:
    """Return the prepared directory; make it first, unless another process has."""
    folder.mkdir(exist_ok=True)
    data_dir, done = folder / "data", folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # A test may have the event loop of Playwright in this thread.
            subprocess.run(
                [sys.executable, "-m", "tests.support.prepared_data", str(data_dir)],
                cwd=_ROOT, env=_complete(environment, data_dir), check=True,
            )  # fmt: skip
            done.touch()
    return data_dir


def _complete(environment: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    ours = {
        "DATA_DIR": str(data_dir),
        "SECRET_KEY": "only-for-tests-and-long-enough-to-please-the-checks-0123456789",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    return {key: value for key, value in environment.items() if key != "DATABASE_URL"} | ours


def _plan(data_dir: Path, environment: Mapping[str, str]) -> Plan:
    options = Options(
        host="127.0.0.1", port=1, simulator_port=2, data_dir=data_dir, workers=1, demo=True, simulator=False
    )  # fmt: skip
    return Plan(options, dict(environment))


async def _make(plan: Plan) -> None:
    data_dir = plan.options.data_dir
    lock = os.open(data_dir / "lock", os.O_CREAT)
    output = Output("prepared data", data_dir / "steps.log", print)
    await asyncio.gather(
        steps.migrate(plan, output, lock), steps.collect_static(plan, output, lock)
    )
    await steps.seed_demo(plan, output, lock)
    output.close()
    with closing(sqlite3.connect(data_dir / _DATABASE)) as database:
        # The copy is one file: all changes belong into it.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    data_dir = Path(sys.argv[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    django.setup()
    private_data.keep_new_files_private()
    private_data.prepare(data_dir)
    asyncio.run(_make(_plan(data_dir, os.environ)))


if __name__ == "__main__":
    main()
