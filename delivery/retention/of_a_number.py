"""The rows of one number in the archives: read them, or take them out."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

from delivery.models import Archive


def rows_of(directory: Path | None, number: str) -> Iterator[dict[str, str]]:
    """Yield the archived texts to and from the number."""
    for file in _files(directory):
        for row in _read(file):
            if _is_of(row, number):
                yield row


def take_out(directory: Path | None, number: str) -> int:
    """Write each archive with the number again without its rows. Return how many rows went."""
    return sum(_take_out(file, number) for file in _files(directory))


def _take_out(file: Path, number: str) -> int:
    rows = list(_read(file)) if any(_is_of(row, number) for row in _read(file)) else []
    if not rows:
        return 0
    kept = [row for row in rows if not _is_of(row, number)]
    new = file.with_name(f".{file.name}.new")
    with gzip.open(new, "wt", newline="") as text:
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    new.chmod(0o600)
    descriptor = os.open(new, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(file)
    Archive.objects.filter(name=file.name).update(rows=len(kept), bytes=file.stat().st_size)
    return len(rows) - len(kept)


def _files(directory: Path | None) -> list[Path]:
    return [] if directory is None else sorted(directory.glob("texts-*.csv.gz"))


def _read(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", newline="") as text:
        yield from csv.DictReader(text)


def _is_of(row: dict[str, str], number: str) -> bool:
    return number in (row["to_number"], row["from_number"])
