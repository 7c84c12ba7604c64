"""Archives: CSV files, compressed, of the rows that a run deletes.

The rows of a transaction are one member of the gzip file, and on disk (fsync) before the transaction
commits. The length of the file up to them is written by the same transaction: after a crash the next run
cuts the file there. So a row is either in the database or in an archive, and never in two archives.
"""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import logging
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import router, transaction

from delivery.durable import sync_to_disk
from delivery.models import Archive

logger = logging.getLogger("delivery")

_SUFFIX = ".csv.gz"
_UNFINISHED = ".part"


@dataclass(slots=True)
class _File:
    path: Path
    descriptor: int
    committed: int = 0
    """The length up to the last row with a committed deletion."""
    written: int = 0


@dataclass
class Archives:
    """The archives of one run in ``directory``: a file for each kind of row. None: no archives."""

    directory: Path | None
    now: datetime
    _files: dict[str, _File] = field(default_factory=dict)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open the transaction that archives and deletes some rows."""
        with transaction.atomic(using=router.db_for_write(Archive)):
            yield
        for file in self._files.values():
            file.committed = file.written

    def append(self, kind: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows that the open :meth:`transaction` deletes. Return once they are on disk."""
        if self.directory is None:
            return
        table = list(rows)
        if not table:
            return
        file = self._files[kind]
        heading = [] if file.committed else [columns]
        # A transaction that was rolled back has left rows behind this position.
        os.ftruncate(file.descriptor, file.committed)
        data = gzip.compress(_csv([*heading, *table]), mtime=0)
        _write(file.descriptor, data, file.committed)
        os.fsync(file.descriptor)
        file.written = file.committed + len(data)
        archive = Archive.objects.select_for_update().get(name=_name(file.path))
        archive.bytes, archive.rows = file.written, archive.rows + len(table)
        archive.save(update_fields=["bytes", "rows"])

    def prepare(self, kind: str) -> None:
        """Begin the file for ``kind``. Its row must be committed before rows are deleted."""
        if self.directory is None or kind in self._files:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{kind}-{self.now:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}{_SUFFIX}"
        path = self.directory / (name + _UNFINISHED)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        sync_to_disk(self.directory)
        Archive.objects.create(name=name, begun_at=self.now)
        self._files[kind] = _File(path, descriptor)

    def close(self) -> None:
        """Finish the files of this run and of earlier runs that crashed."""
        for file in self._files.values():
            os.close(file.descriptor)  # The lock ends with it.
        self._files.clear()
        if self.directory is not None and self.directory.is_dir():
            finish(self.directory)


def finish(directory: Path) -> None:
    """Cut each unfinished file that no process writes behind its last deleted row, and name it finally."""
    for path in sorted(directory.glob(f"*{_SUFFIX}{_UNFINISHED}")):
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            _finish(path, descriptor)
        finally:
            os.close(descriptor)
    sync_to_disk(directory)


def _finish(path: Path, descriptor: int) -> None:
    with transaction.atomic(using=router.db_for_write(Archive)):
        # The lock waits for the transaction of a lost worker, which may still be committed.
        archive = Archive.objects.select_for_update().filter(name=_name(path)).first()
        length = archive.bytes if archive else 0
        if archive and not length:
            archive.delete()
    found = os.fstat(descriptor).st_size
    if found < length:
        logger.error(
            "An archive is shorter than its deleted rows",
            extra={"action": "archive_damaged", "file": path.name, "missing": length - found},
        )
    os.ftruncate(descriptor, min(found, length))
    os.fsync(descriptor)
    if length:
        path.rename(path.with_name(_name(path)))
    else:
        path.unlink()


def _name(path: Path) -> str:
    return path.name.removesuffix(_UNFINISHED)


def _csv(table: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in table)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _write(descriptor: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, at)
        data, at = data[written:], at + written
