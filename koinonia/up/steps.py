"""What is done once at start, each in a process that ends: database, static files, demo data."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from django.contrib.staticfiles.finders import get_finders

from koinonia.config import kept_values
from koinonia.up.output import Output
from koinonia.up.parent_death import dies_with_us
from koinonia.up.processes import ROOT, ChildFailedError
from koinonia.up.programs import Plan

_COLLECTED = "static_collected"


async def migrate(plan: Plan, output: Output, lock: int) -> None:
    await _run(plan, output, lock, "migrate", "--noinput", "--verbosity", "0")


async def seed_demo(plan: Plan, output: Output, lock: int) -> None:
    await _run(plan, output, lock, "seed_demo")


async def collect_static(plan: Plan, output: Output, lock: int) -> None:
    """Only where a source changed: hashing and compressing takes seconds."""
    present = await asyncio.to_thread(_static_sources)
    data_dir = plan.options.data_dir
    if kept_values.read(data_dir, _COLLECTED) == present and (data_dir / "static").is_dir():
        return
    await _run(plan, output, lock, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
    kept_values.write(data_dir, _COLLECTED, present)


async def _run(plan: Plan, output: Output, lock: int, *arguments: str) -> None:
    """A management command; raises ChildFailedError with what it said."""
    process = await asyncio.create_subprocess_exec(
        *plan.manage(*arguments),
        env=plan.environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=[lock],
        preexec_fn=dies_with_us(),
    )
    try:
        if process.stdout is not None:
            await output.follow(process.stdout)
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if code != 0:
        said = "\n".join(f"    {line}" for line in output.last)
        raise ChildFailedError(f"`manage.py {arguments[0]}` ended with exit code {code}.\n{said}")


def _static_sources() -> str:
    """One line that changes when any static file of any app does."""
    files = [
        (path, os.stat(storage.path(path)))
        for finder in get_finders()
        for path, storage in finder.list([])
    ]
    newest = max((stat.st_mtime_ns for _, stat in files), default=0)
    return f"{len(files)} files, {sum(stat.st_size for _, stat in files)} bytes, newest {newest}"
