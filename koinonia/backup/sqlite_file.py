"""Backup and restore of the SQLite file."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from delivery.durable import sync_to_disk


class BackupError(Exception):
    """The backup cannot be made or used; the text says why."""


def current_file() -> Path:
    """Return the path of the database. Raise BackupError for another database than SQLite."""
    if connection.vendor != "sqlite":
        raise BackupError(
            "The database is PostgreSQL: use pg_dump and pg_restore, then manage.py after_restore"
            " (docs/operations/backup.md)."
        )
    return Path(str(connection.settings_dict["NAME"]))


def save(file: Path) -> int:
    """Copy the database into ``file`` while others write. Return its size in bytes.

    The copy is the state of one moment. The file appears when it is complete and on disk.
    """
    current_file()
    if file.exists():
        raise BackupError(f"{file} exists already: choose another name.")
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(new)])
        new.chmod(0o600)
        sync_to_disk(new)
        verify(new)
        new.rename(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_to_disk(file.parent)
    return file.stat().st_size


def verify(file: Path) -> None:
    """Raise BackupError unless ``file`` is a whole database of this project, and not of a later release."""
    if not file.is_file():
        raise BackupError(f"{file} is not a file.")
    try:
        database = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
        try:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            applied = set(database.execute("SELECT app, name FROM django_migrations"))
        finally:
            database.close()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is not a backup of this project: {error}") from error
    if found != "ok":
        raise BackupError(f"{file} is damaged: {found}")
    loader = MigrationLoader(None)
    ours = {app for app, _ in loader.disk_migrations}
    known = set(loader.disk_migrations) | set(loader.replacements)
    if later := sorted(name for app, name in applied if app in ours and (app, name) not in known):
        raise BackupError(f"{file} is of a later release, with {later[0]}: install that one first.")


def swap(file: Path, now: datetime) -> Path | None:
    """Put a copy of ``file`` in the place of the database. Return where the old database is kept now.

    Raises BackupError while any process has the database open.
    """
    database = current_file()
    verify(file)
    connections.close_all()
    old = None
    if database.exists():
        _close_log(database)
        old = database.with_name(f"{database.name}.before-restore-{now:%Y-%m-%dT%H%M%SZ}")
    new = database.with_name(f"{database.name}.restoring")
    shutil.copyfile(file, new)
    new.chmod(0o600)
    sync_to_disk(new)
    if old is not None:
        database.rename(old)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    new.rename(database)
    sync_to_disk(database.parent)
    return old


def _close_log(database: Path) -> None:
    """Write the log (WAL) into the file. SQLite refuses while another connection exists."""
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError:
        mode = "locked"
    finally:
        connection.close()
    if mode != "delete":
        raise BackupError(
            f"{database} is in use: stop every web process, worker and command first."
        )
