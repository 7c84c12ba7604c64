"""The processes that share one ``/metrics``: the clusters of a worker, or the workers of uvicorn.

Their counters are in files of one directory, which prometheus_client maps into memory. The first
import of prometheus_client decides where counters are, so this module does not import it.

A process with an endpoint of its own keeps its counters in memory and has no directory.
"""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads it, and processes inherit it."""
_ALIVE = "alive.lock"
_locks: list[int] = []
"""The descriptors whose locks show that this process uses its directory."""


def directory() -> Path | None:
    """Return the directory of this process, or None while its counters are in memory."""
    found = os.environ.get(VARIABLE)
    return Path(found) if found else None


def name_among_siblings() -> str | None:
    """Return the same name in each process of ``uvicorn --workers``, and None in any other process."""
    if multiprocessing.parent_process() is None:
        return None
    parent = os.getppid()
    started = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[19]
    return f"web-{parent}-{started}"


def join(parent: Path, name: str) -> Path | None:
    """Use the directory ``name`` below ``parent``, and delete directories that no process uses.

    Return None, and log why, if the directory cannot be used: the work goes on without it.
    """
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(parent):
            for other in parent.iterdir():
                if other.is_dir() and other.name != name and not _is_used(other):
                    shutil.rmtree(other, ignore_errors=True)
            (parent / name).mkdir(mode=0o700, exist_ok=True)
            _locks.append(_lock(parent / name / _ALIVE, fcntl.LOCK_SH))
    except OSError as error:
        logger.warning(
            "The processes cannot share metrics in %s: %s",
            parent,
            error.strerror,
            extra={"action": "metrics_not_shared"},
        )
        return None
    os.environ[VARIABLE] = str(parent / name)
    return parent / name


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change the files of ``folder``."""
    descriptor = _lock(folder / "change.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, kind: int) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, kind)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_used(folder: Path) -> bool:
    """Return whether a process holds its lock. The kernel releases the lock of a killed process."""
    try:
        os.close(_lock(folder / _ALIVE, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    return False
