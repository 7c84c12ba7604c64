"""The triggers that count changes: defined by the declarations, installed by ``migrate``.

On SQLite Django remakes tables. That drops their triggers silently, or fails on a trigger that names
the remade table. There the app drops all triggers before a migration and creates them after it.

On PostgreSQL the triggers stay. After a migration the app creates those that are missing and drops those
that are no longer declared, one table at a time. If nothing differs, it takes no lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError

from httpopt import conf
from httpopt.models import Counter
from httpopt.versions import postgresql, sqlite
from httpopt.versions.brief_locks import briefly
from httpopt.versions.counters import begin_epoch
from httpopt.versions.tracked import Tracked

PREFIX = "httpopt_"
_MAKERS = {"postgresql": postgresql.triggers, "sqlite": sqlite.triggers}
_CATALOGUES = {
    "postgresql": "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgname LIKE 'httpopt\\_%' AND pg_table_is_visible(pg_class.oid)",
    "sqlite": "SELECT name, tbl_name FROM sqlite_master"
    " WHERE type = 'trigger' AND name LIKE 'httpopt\\_%' ESCAPE '\\'",
}


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    table: str
    statements: tuple[str, ...]


_undeclared_stay: ContextVar[bool] = ContextVar("httpopt_undeclared_stay", default=False)


@contextmanager
def keep_undeclared() -> Iterator[None]:
    """Let ``migrate`` keep the triggers of the release before, whose processes still check for them.

    A change then counts twice, which makes a tag stale as well as counting it once.
    """
    token = _undeclared_stay.set(True)
    try:
        yield
    finally:
        _undeclared_stay.reset(token)


def before_migrate(*, using: str, plan: Sequence[Any] = (), **_: Any) -> None:
    """Drop all triggers of the app on SQLite, if there is something to migrate."""
    connection = connections[using]
    if connection.vendor == "sqlite" and plan:
        drop(connection, existing(connection))


def after_migrate(*, using: str, **_: Any) -> None:
    """Create missing triggers, drop undeclared ones, and make sure that there is an epoch."""
    connection = connections[using]
    if not _is_supported(connection):
        return
    tables = set(connection.introspection.table_names())
    if Counter._meta.db_table not in tables:
        return
    wanted = {one.name: one for one in declared(connection, conf.tracked()) if one.table in tables}
    installed = existing(connection)
    names = {name for name, _ in installed}
    missing = [one for one in wanted.values() if one.name not in names]
    old = [one for one in installed if one[0] not in wanted]
    if connection.vendor == "postgresql" and _undeclared_stay.get():
        old = []
    _replace(connection, old, missing)
    # Writes without triggers were not counted: a new epoch makes all older tags stale.
    begin_epoch(using=using, renew=bool(missing))


def _replace(
    connection: BaseDatabaseWrapper, old: Sequence[tuple[str, str]], new: Sequence[Trigger]
) -> None:
    """Replace the triggers of each table in one transaction, so that no change goes uncounted."""
    for table in sorted({table for _, table in old} | {one.table for one in new}):

        def change(table: str = table) -> None:
            drop(connection, [one for one in old if one[1] == table])
            create(connection, [one for one in new if one.table == table])

        briefly(connection, change)


def problems(using: str = "default") -> list[str]:
    """Return one sentence per problem that makes 304s wrong.

    A table that ``migrate`` has not made yet misses nothing.
    """
    connection = connections[using]
    if not _is_supported(connection):
        return [f"Triggers cannot be made on {connection.vendor}."] if conf.tracked() else []
    try:
        names = {name for name, _ in existing(connection)}
        present = set(connection.introspection.table_names())
    except DatabaseError as error:
        # Only the type: a readiness answer may quote the sentence, and errors name hosts and users.
        return [f"The triggers cannot be read ({type(error).__name__})."]
    wanted = declared(connection, conf.tracked())
    tables = sorted({one.table for one in wanted if one.name not in names} & present)
    return [f"Triggers of the table {table} are missing; run migrate." for table in tables]


def declared(connection: BaseDatabaseWrapper, tracked: Iterable[Tracked]) -> list[Trigger]:
    """Return the triggers that the declarations need on this database."""
    make = _MAKERS[connection.vendor]
    return [
        _named(one.table, template)
        for one in tracked
        for template in make(one, connection.ops.quote_name)
    ]


def existing(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Return ``(name, table)`` of each installed trigger."""
    with connection.cursor() as cursor:
        cursor.execute(_CATALOGUES[connection.vendor])
        return [(str(name), str(table)) for name, table in cursor.fetchall()]


def create(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    with connection.cursor() as cursor:
        for trigger in triggers:
            for statement in trigger.statements:
                cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper, triggers: Iterable[tuple[str, str]]) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for name, table in triggers:
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {quote(name)} ON {quote(table)}")
                cursor.execute(f"DROP FUNCTION IF EXISTS {quote(name)}()")
            else:
                cursor.execute(f"DROP TRIGGER {quote(name)}")


def _is_supported(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor in _MAKERS


def _named(table: str, templates: Sequence[str]) -> Trigger:
    """Name a trigger by a hash of its definition, so that a changed one counts as missing."""
    text = "\n".join([table, *templates])
    name = PREFIX + hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
    return Trigger(name, table, tuple(one.replace("{name}", name) for one in templates))
