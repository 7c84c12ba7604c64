"""A bounded spool on disk for the time in which the database is away.

A record is on disk (fsync) before its webhook is answered. Each process writes its own files, and
holds a lock on the file that it writes; a process replays any file that no other process holds, and
deletes it afterwards. A replay that ends in the middle begins again: events are unique by their id,
so a record that is stored twice changes nothing.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import InterfaceError, OperationalError

from delivery.durable import sync_to_disk
from delivery.webhooks.event_rows import EventRow

logger = logging.getLogger("delivery")

_SUFFIX = ".events"
_DAMAGED = ".damaged"
_LOCK = "lock"
_FILE_BYTES = 1024 * 1024
"""The size at which the next file begins: other webhooks wait for the replay of a part of one."""
_PART = 200
"""The records of one transaction of a replay."""


class SpoolFullError(OSError):
    """The spool holds as many bytes as it may."""


@dataclass(frozen=True, slots=True)
class Waiting:
    events: int
    bytes: int


@dataclass(slots=True)
class _File:
    path: Path
    descriptor: int
    pid: int


class Spool:
    """The spool in ``directory``, which all processes of a machine may share."""

    def __init__(self, directory: str | Path, most_bytes: int) -> None:
        self._directory, self._most_bytes = Path(directory), most_bytes
        self._lock = threading.RLock()
        self._file: _File | None = None

    def append(self, rows: Sequence[EventRow]) -> None:
        """Return once ``rows`` are on disk. Raises OSError, :class:`SpoolFullError` above the bound."""
        data = b"".join(map(_line, rows))
        with self._lock:
            file = self._open_file()
            try:
                with self._alone():
                    self._write(file, data)
                os.fsync(file.descriptor)
            except OSError:
                self._close_file()  # The next record must not follow the half of this one.
                raise
            if os.fstat(file.descriptor).st_size >= _FILE_BYTES:
                self._close_file()

    def has_files(self) -> bool:
        return any(self._files())

    def waiting(self) -> Waiting:
        """Return the number and the size of the records on disk."""
        events = size = 0
        for path in self._files():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # Another process has replayed it.
            events, size = events + data.count(b"\n"), size + len(data)
        return Waiting(events, size)

    def replay(
        self, write: Callable[[Sequence[EventRow]], None], between: Callable[[], object]
    ) -> int:
        """Write the records of all files, the oldest first, and return their number.

        Raises what ``write`` raises while the database is away; the records stay.
        """
        self.close()
        done = 0
        for path in sorted(self._files()):
            with _taken(path) as taken:
                if not taken:
                    continue
                done += _replay_file(path, write, between)
                path.unlink()
        if done:
            extra = {"action": "webhook_replayed", "events": done}
            logger.info("The spool of webhooks was replayed", extra=extra)
        return done

    def close(self) -> None:
        """Release the file that this process writes, so that any process may replay it."""
        with self._lock:
            self._close_file()

    def _files(self) -> list[Path]:
        return list(self._directory.glob(f"*{_SUFFIX}"))

    def _open_file(self) -> _File:
        if self._file is not None and self._file.pid != os.getpid():
            self._close_file()  # After a fork it is the file of the parent, which keeps its lock.
        if self._file is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / f"{time.time_ns():020}-{os.getpid()}{_SUFFIX}"
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
            descriptor = os.open(path, flags, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            sync_to_disk(self._directory)
            self._file = _File(path, descriptor, os.getpid())
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file.descriptor)  # The lock ends with it.
            self._file = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing, so that they cannot exceed the bound together."""
        descriptor = os.open(self._directory / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, file: _File, data: bytes) -> None:
        size = sum(path.stat().st_size for path in self._directory.iterdir() if path.is_file())
        if size + len(data) > self._most_bytes:
            raise SpoolFullError("The spool of webhooks is full.")
        before = os.fstat(file.descriptor).st_size
        written = os.write(file.descriptor, data)
        if written != len(data):
            os.ftruncate(file.descriptor, before)
            raise SpoolFullError("The disk of the spool is full.")


def _line(row: EventRow) -> bytes:
    text = json.dumps(row._asdict(), default=datetime.isoformat).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _row(line: bytes) -> EventRow | None:
    """Return the row of a line; None for a damaged line."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    found = json.loads(text)
    for name in ("occurred_at", "received_at"):
        found[name] = datetime.fromisoformat(found[name])
    return EventRow(**found)


@contextmanager
def _taken(path: Path) -> Iterator[bool]:
    """Yield True with the lock on a file that no process writes or replays."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            # Another process may have replayed and deleted it between the two calls.
            yield os.fstat(descriptor).st_nlink > 0
    finally:
        os.close(descriptor)


def _replay_file(
    path: Path, write: Callable[[Sequence[EventRow]], None], between: Callable[[], object]
) -> int:
    lines = path.read_bytes().split(b"\n")
    torn = lines.pop()  # Empty, unless the process died while it wrote.
    damaged = [torn] if torn else []
    rows: list[EventRow] = []
    for line in lines:
        row = _row(line)
        if row is None:
            damaged.append(line)
        else:
            rows.append(row)
    for start in range(0, len(rows), _PART):
        damaged += map(_line, _write_or_return(rows[start : start + _PART], write))
        between()
    if damaged:
        _set_aside(path, damaged)
    return len(rows)


def _write_or_return(
    rows: Sequence[EventRow], write: Callable[[Sequence[EventRow]], None]
) -> list[EventRow]:
    """Write ``rows``; return those that the database refuses for what they contain."""
    try:
        write(rows)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(rows) > 1:
            return [bad for row in rows for bad in _write_or_return([row], write)]
        logger.exception("A spooled event cannot be stored", extra={"action": "webhook_set_aside"})
        return list(rows)
    return []


def _set_aside(path: Path, damaged: Sequence[bytes]) -> None:
    """Keep what could not be read beside the spool: it may be the half of an unanswered webhook."""
    aside = path.with_suffix(_DAMAGED)
    aside.write_bytes(b"\n".join(line.rstrip(b"\n") for line in damaged) + b"\n")
    aside.chmod(0o600)
    logger.error(
        "A part of the spool of webhooks is damaged, and was set aside",
        extra={"action": "webhook_spool_damaged", "file": aside.name, "records": len(damaged)},
    )
