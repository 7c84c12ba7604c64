"""``backup`` copies a running SQLite database, and ``restore`` puts it back into a stopped system."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.koinonia.backup.commands import FILL, HELD, SHOW, Commands

ONE_MORE = "from delivery.models import Message; row = Message.objects.first(); row.pk = None; row.to_number = '+13125550009'; row.save(); print(row.pk)"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    system = Commands(tmp_path_factory.mktemp("system"))
    system.run("migrate", "--verbosity", "0")
    system.shell(FILL)
    return system


def test_a_backup_is_restored_without_a_text_that_could_be_sent_twice(
    system: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "backup.sqlite3"
    database = system.data_dir / "koinonia.sqlite3"
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # Another process writes meanwhile.
    assert "is complete" in system.run("backup", str(file))
    writer.execute("COMMIT")
    assert file.stat().st_mode & 0o077 == 0
    assert "exists already" in system.start("backup", str(file)).stderr
    system.shell(ONE_MORE)

    refused = system.start("restore", str(file))
    assert (refused.returncode, "is in use" in refused.stderr) == (1, True)
    writer.close()

    told = system.run("restore", str(file))
    assert "1 texts and 0 scheduled broadcasts that may have been sent are held" in told
    assert system.shell(SHOW) == HELD
    assert int(system.shell(ONE_MORE)) > 1_000_000
    (old,) = system.data_dir.glob("koinonia.sqlite3.before-restore-*")
    assert sqlite3.connect(old).execute("SELECT count(*) FROM delivery_message").fetchone() == (4,)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_file_that_is_no_backup_changes_nothing(
    system: Commands, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "other").write_bytes(content)
    before = (system.data_dir / "koinonia.sqlite3").stat()
    refused = system.start("restore", str(tmp_path / "other"))
    assert (refused.returncode, "is not a backup" in refused.stderr) == (1, True)
    assert (system.data_dir / "koinonia.sqlite3").stat().st_ino == before.st_ino
