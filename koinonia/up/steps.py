"""The commands that ``up`` runs once before the parts start: database, static files, demo data."""

from __future__ import annotations

import asyncio
import os

from django.contrib.staticfiles.finders import get_finders

from koinonia.config import kept_values
from koinonia.up.processes import ChildFailedError, Output, kill_session, start_process
from koinonia.up.programs import Plan

_COLLECTED = "static_collected"


async def migrate(plan: Plan, output: Output, lock: int) -> None:
    await _run(plan, output, lock, "migrate", "--noinput", "--verbosity", "0")


async def seed_demo(plan: Plan, output: Output, lock: int) -> None:
    await _run(plan, output, lock, "seed_demo")


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
