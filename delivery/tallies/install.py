"""Create the triggers after ``migrate``, and count what was written without them."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from delivery.models import Message, Tally
from delivery.tallies.recount import forget, is_exact, recount
from delivery.tallies.triggers import PREFIX, declared

_CATALOGUES = {
    "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgname LIKE %s AND pg_table_is_visible(pg_class.oid)",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
}


def before_migrate(*, using: str, **_: Any) -> None:
    """Drop the triggers on SQLite, where Django remakes tables, which drops or breaks triggers.

    On PostgreSQL they stay: ``migrate`` should not lock the table for nothing.
    """
    connection = connections[using]
    if connection.vendor == "sqlite":
        _drop(connection, _existing(connection))


def after_migrate(*, using: str, **_: Any) -> None:
    """Create missing triggers and drop those of another release; then make the tallies exact."""
    connection = connections[using]
    if connection.vendor not in _CATALOGUES or not _tables_exist(connection):
        return
    wanted = {one.name: one for one in declared(connection)}
    existing = _existing(connection)
    missing = [one for name, one in wanted.items() if name not in existing]
    if missing or not existing <= wanted.keys():
        with transaction.atomic(using=using), connection.cursor() as cursor:
            forget(using=using)
            _drop(connection, existing - wanted.keys())
            for one in missing:
                for statement in one.statements:
                    cursor.execute(statement)
    if not is_exact(using=using):
        recount(timezone.now(), using=using)


def _tables_exist(connection: BaseDatabaseWrapper) -> bool:
    tables = set(connection.introspection.table_names())
    return {Tally._meta.db_table, Message._meta.db_table} <= tables


def _existing(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            _CATALOGUES[connection.vendor],
            [PREFIX.replace("_", "\\_") + "%"]
            if connection.vendor == "postgresql"
            else [PREFIX + "%"],
        )
        return {str(name) for (name,) in cursor.fetchall()}


def _drop(connection: BaseDatabaseWrapper, names: set[str]) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for name in sorted(names):
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {quote(name)} ON {quote(Message._meta.db_table)}")
                cursor.execute(f"DROP FUNCTION IF EXISTS {quote(name)}()")
            else:
                cursor.execute(f"DROP TRIGGER {quote(name)}")
