"""The commands that ``up`` runs once before the parts start: database, static files, demo data."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from contextlib import closing

from django import get_version
from django.contrib.staticfiles.finders import get_finders

from koinonia.config import kept_values
from koinonia.up.processes import ROOT, ChildFailedError, Output, kill_session, start_process
from koinonia.up.programs import Plan

_DATABASE_FILE = "koinonia.sqlite3"
_COLLECTED = "static_collected"
_MIGRATED = "migrated"
_SEEDED = "demo_data_added"
_PACKAGES = ("koinonia", "delivery", "realtime", "throttling", "httpopt")


async def migrate(plan: Plan, output: Output, lock: int) -> None:
    """Migrate, and keep for which code and which database that is done."""
    await _run(plan, output, lock, "migrate", "--noinput", "--verbosity", "0")
    await asyncio.to_thread(keep_migrated, plan)


def keep_migrated(plan: Plan) -> None:
    """Keep that this code has migrated this database."""
    kept_values.write(plan.options.data_dir, _MIGRATED, _code_and_database(plan))


async def is_migrated(plan: Plan) -> bool:
    """Return whether an earlier run of this code has migrated this database."""
    present = await asyncio.to_thread(_code_and_database, plan)
    return kept_values.read(plan.options.data_dir, _MIGRATED) == present


async def seed_demo(plan: Plan, output: Output, lock: int) -> None:
    """Add the demo data, and keep for which code, database and password that is done."""
    await _run(plan, output, lock, "seed_demo")
    await asyncio.to_thread(keep_seeded, plan)


def keep_seeded(plan: Plan) -> None:
    """Keep that this code has added the demo data to this database."""
    kept_values.write(plan.options.data_dir, _SEEDED, _demo_data(plan))


async def is_seeded(plan: Plan) -> bool:
    """Return whether an earlier run of this code has added the demo data to this database."""
    present = await asyncio.to_thread(_demo_data, plan)
    if kept_values.read(plan.options.data_dir, _SEEDED) != present:
        return False
    return await asyncio.to_thread(_has_users, plan)


async def collect_static(plan: Plan, output: Output, lock: int) -> None:
    """Collect the static files if a source has changed: hashing and compressing takes seconds."""
    present = await asyncio.to_thread(_fingerprint_of_sources)
    data_dir = plan.options.data_dir
    if kept_values.read(data_dir, _COLLECTED) == present and (data_dir / "static").is_dir():
        return
    await _run(plan, output, lock, "collectstatic", "--noinput", "--verbosity", "0")
    kept_values.write(data_dir, _COLLECTED, present)


async def _run(plan: Plan, output: Output, lock: int, *arguments: str) -> None:
    """Run a management command. Raise ChildFailedError, with the last output, if it fails."""
    process = await start_process(plan.manage(*arguments), plan.environment, lock)
    try:
        if process.stdout is not None:
            await output.follow(process.stdout)
        code = await process.wait()
    except asyncio.CancelledError:
        kill_session(process)
        await process.wait()
        raise
    if code != 0:
        raise ChildFailedError(
            f"`manage.py {arguments[0]}` ended with exit code {code}.\n{output.last_lines()}"
        )


def _fingerprint_of_sources() -> str:
    """Return one line that changes when a static file of any app changes."""
    files = [
        (path, os.stat(storage.path(path)))
        for finder in get_finders()
        for path, storage in finder.list([])
    ]
    newest = max((stat.st_mtime_ns for _, stat in files), default=0)
    return f"{len(files)} files, {sum(stat.st_size for _, stat in files)} bytes, newest {newest}"


def _demo_data(plan: Plan) -> str:
    """Return one line that changes with the code, the database and the password of the demo users."""
    password = hashlib.sha256(plan.environment.get("DEMO_PASSWORD", "").encode()).hexdigest()
    return f"{_code_and_database(plan)}, password {password[:8]}"


def _has_users(plan: Plan) -> bool:
    """Return whether the SQLite file has users still. ``flush`` removes them; other servers are not asked."""
    if plan.environment.get("DATABASE_URL"):
        return False
    file = f"file:{plan.options.data_dir / _DATABASE_FILE}?mode=ro"
    try:
        with closing(sqlite3.connect(file, uri=True)) as database:
            return database.execute("SELECT 1 FROM auth_user LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return False


def _code_and_database(plan: Plan) -> str:
    """Return one line that changes with the code, with Django, and with the database."""
    told = hashlib.sha256(f"{get_version()} {plan.environment.get('DATABASE_URL', '')}".encode())
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found = path.stat()
            told.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return f"{told.hexdigest()}, database file {_file_number(plan)}"


def _file_number(plan: Plan) -> int:
    """Return the inode of the SQLite file: a database that was removed or restored has another."""
    try:
        return (plan.options.data_dir / _DATABASE_FILE).stat().st_ino
    except FileNotFoundError:
        return 0
