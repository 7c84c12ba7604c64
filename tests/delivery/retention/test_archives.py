"""After a crash a row is in the database or in an archive, and never in both."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.models import Archive
from delivery.retention.archives import Archives, finish

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archives(folder: Path) -> Iterator[Archives]:
    archives = Archives(folder, NOW)
    archives.prepare("texts")
    yield archives
    archives.close()


def write(archives: Archives, *rows: int) -> None:
    with archives.transaction():
        archives.append("texts", ["id"], [[row] for row in rows])


def fail_to_write(archives: Archives, *rows: int) -> None:
    with suppress(ConnectionError), archives.transaction():
        archives.append("texts", ["id"], [[row] for row in rows])
        raise ConnectionError


def crash(archives: Archives) -> None:
    """End as a killed process does: the lock goes, the file stays as it is."""
    for file in archives._files.values():
        os.close(file.descriptor)
    archives._files.clear()


def lines(folder: Path) -> list[str]:
    return [
        line
        for path in sorted(folder.glob("*.csv.gz"))
        for line in gzip.decompress(path.read_bytes()).decode().split()
    ]


def test_each_transaction_adds_its_rows_to_one_file(archives: Archives, folder: Path) -> None:
    write(archives, 1, 2)
    write(archives, 3)
    archives.close()
    assert lines(folder) == ["id", "1", "2", "3"]
    assert Archive.objects.get().rows == 3


def test_rows_of_a_transaction_that_failed_are_not_in_the_archive(
    archives: Archives, folder: Path
) -> None:
    fail_to_write(archives, 1)
    write(archives, 2)
    fail_to_write(archives, 3)
    archives.close()
    assert lines(folder) == ["id", "2"]


def test_a_file_of_a_killed_run_ends_with_its_last_deleted_row(
    archives: Archives, folder: Path
) -> None:
    write(archives, 1)
    fail_to_write(archives, 2)
    crash(archives)
    finish(folder)
    assert lines(folder) == ["id", "1"]
    assert [path.suffix for path in folder.iterdir()] == [".gz"]


def test_a_file_without_a_deleted_row_disappears(archives: Archives, folder: Path) -> None:
    fail_to_write(archives, 1)
    crash(archives)
    finish(folder)
    assert list(folder.iterdir()) == []
    assert not Archive.objects.exists()


def test_a_file_that_another_run_writes_is_left_alone(archives: Archives, folder: Path) -> None:
    write(archives, 1)
    finish(folder)
    assert [path.suffix for path in folder.iterdir()] == [".part"]
    write(archives, 2)
    archives.close()
    assert lines(folder) == ["id", "1", "2"]
