"""Copies a backup of SQLite into an empty PostgreSQL database of the same release."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from koinonia.backup.sqlite_file import BackupError

_OWN = "django_migrations"
"""Both databases have it already."""
_MUST_BE_EMPTY = ("auth_user", "koinonia_church", "delivery_message")
_ROWS_AT_ONCE = 1000


def copy(file: Path) -> Iterator[str]:
    """Copy every row, all or none; yield a sentence about the rows.

    The triggers rest: what they count and number is copied too.
    """
    if connection.vendor != "postgresql":
        raise BackupError("DATABASE_URL names no PostgreSQL database.")
    with closing(_opened(file)) as old, transaction.atomic(), connection.cursor() as new:
        _check(old, new)
        new.execute("SET LOCAL TIME ZONE 'UTC'")
        new.execute("SET LOCAL statement_timeout = 0")
        tables = sorted(_tables(old) - {_OWN})
        for table in tables:
            new.execute(f"ALTER TABLE {_quoted(table)} DISABLE TRIGGER USER")
        new.execute(f"TRUNCATE {', '.join(map(_quoted, tables))}")
        rows = sum(_copy_table(old, new, table) for table in tables)
        # A table with a check of foreign keys that is still due cannot be altered.
        new.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            new.execute(f"ALTER TABLE {_quoted(table)} ENABLE TRIGGER USER")
        _renew_numbers(old, new)
    yield f"{rows} rows of {len(tables)} tables were copied."


def _opened(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    try:
        old = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        (found,) = old.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is no SQLite database: {error}.") from error
    if found != "ok":
        raise BackupError(f"{file} is damaged: {found}")
    return old


def _check(old: sqlite3.Connection, new: Any) -> None:
    """Raise BackupError unless both have the same schema and ``new`` has no data."""
    applied = f"SELECT app, name FROM {_OWN}"  # noqa: S608 - quoted names of tables
    if _OWN not in _tables(old):
        raise BackupError("The file is no database of Koinonia.")
    new.execute(applied)
    if set(old.execute(applied)) != set(new.fetchall()):
        raise BackupError(
            "The file and the database have other migrations: run manage.py migrate on both, with"
            " this release, and make the backup again."
        )
    for table in _MUST_BE_EMPTY:
        new.execute(f"SELECT EXISTS (SELECT 1 FROM {_quoted(table)})")  # noqa: S608 - quoted names of tables
        if new.fetchone()[0]:
            raise BackupError(f"The database is in use: {table} has rows. Take an empty one.")


def _tables(old: sqlite3.Connection) -> set[str]:
    found = old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found if not name.startswith("sqlite_")}


def _copy_table(old: sqlite3.Connection, new: Any, table: str) -> int:
    columns = [row[1] for row in old.execute(f"PRAGMA table_info({_quoted(table)})")]
    names = ", ".join(map(_quoted, columns))
    rows = old.execute(f"SELECT {names} FROM {_quoted(table)}")  # noqa: S608 - quoted names of tables
    number = 0
    # Text: PostgreSQL itself reads the 1 of a boolean, the digits of a UUID and a time in UTC.
    with new.copy(f"COPY {_quoted(table)} ({names}) FROM STDIN") as into:
        while some := rows.fetchmany(_ROWS_AT_ONCE):
            for row in some:
                into.write_row(row)
            number += len(some)
    return number


def _renew_numbers(old: sqlite3.Connection, new: Any) -> None:
    """Let each sequence go on after the highest number that was ever given."""
    has_given = old.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()
    given = dict(old.execute("SELECT name, seq FROM sqlite_sequence")) if has_given else {}
    new.execute(
        "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND (is_identity = 'YES' OR column_default LIKE 'nextval%')"
    )
    found: Sequence[tuple[str, str, str]] = new.fetchall()
    for table, column, sequence in found:
        if table == _OWN:
            continue
        new.execute(f"SELECT coalesce(max({_quoted(column)}), 0) FROM {_quoted(table)}")  # noqa: S608 - quoted names of tables
        last = max(new.fetchone()[0], given.get(table, 0))
        new.execute("SELECT setval(%s, %s, %s)", [sequence, max(last, 1), last > 0])


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
