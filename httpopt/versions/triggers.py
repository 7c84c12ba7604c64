"""What a trigger is to us: a name that tells its whole definition, and how to make it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from httpopt.versions import postgresql, sqlite
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


def is_supported(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor in _MAKERS


def declared(connection: BaseDatabaseWrapper, tracked: Iterable[Tracked]) -> list[Trigger]:
    """The triggers that the declarations ask for on this database."""
    make = _MAKERS[connection.vendor]
    return [
        _named(one.table, template)
        for one in tracked
        for template in make(one, connection.ops.quote_name)
    ]


def existing(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """``(name, table)`` of those that are there."""
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


def _named(table: str, templates: Sequence[str]) -> Trigger:
    """The name is made of the definition: a changed declaration is a trigger that is missing."""
    text = "\n".join([table, *templates])
    name = PREFIX + hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
    return Trigger(name, table, tuple(one.replace("{name}", name) for one in templates))
