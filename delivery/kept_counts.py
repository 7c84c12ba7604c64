"""Counts that triggers on the table of messages keep: create the triggers, and know that they are complete.

A trigger counts every change in its transaction, also a change by raw SQL, by COPY or by the release
before. Triggers exist from the end of the first ``migrate``; what was written before, a recount adds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from delivery import schema_changes
from delivery.models import Message

_CATALOGUES = {
    "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND pg_table_is_visible(pg_class.oid)",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    statements: tuple[str, ...]


def named(prefix: str, templates: tuple[str, ...]) -> Trigger:
    """Return the trigger of these statements. Its name has a hash of them in it, for ``{name}``."""
    digest = hashlib.blake2b("\n".join(templates).encode(), digest_size=8).hexdigest()
    name = prefix + digest
    return Trigger(name, tuple(one.replace("{name}", name) for one in templates))


@dataclass(frozen=True, kw_only=True)
class KeptCounts:
    """A table of counts: its triggers, and the mark in it that says that it is complete."""

    prefix: str
    model: type[Model]
    triggers: Callable[[BaseDatabaseWrapper], Iterable[Trigger]]
    mark: dict[str, Any]
    """The values of a row without counts: a recount has ended since the triggers were made."""
    recount: Callable[[str], None]
    """Adds the difference between the messages and the counts, on the database with this alias."""

    def before_migrate(self, *, using: str, plan: Sequence[Any] = (), **_: Any) -> None:
        """Drop the triggers on SQLite, where Django remakes tables, which drops or breaks triggers.

        On PostgreSQL they stay: ``migrate`` should not lock the table for nothing.
        """
        connection = connections[using]
        if connection.vendor == "sqlite" and plan:
            self._drop(connection, self._existing(connection))

    def after_migrate(self, *, using: str, **_: Any) -> None:
        """Create missing triggers, drop those of another release, and count what they have missed."""
        connection = connections[using]
        if connection.vendor not in _CATALOGUES or not self._tables_exist(connection):
            return
        wanted = {one.name: one for one in self.triggers(connection)}
        existing = self._existing(connection)
        missing = [one for name, one in wanted.items() if name not in existing]
        if missing or not existing <= wanted.keys():
            schema_changes.briefly(
                connection, lambda: self._replace(connection, existing - wanted.keys(), missing)
            )
        if self.are_complete(using):
            return
        with transaction.atomic(using=using):
            if connection.vendor == "postgresql":
                # One recount at a time: two would add the difference twice. Triggers do not wait for this.
                with connection.cursor() as cursor:
                    table = connection.ops.quote_name(self.model._meta.db_table)
                    cursor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
            if not self.are_complete(using):
                self.recount(using)
                self.model._default_manager.using(using).create(**self.mark)

    def are_complete(self, using: str) -> bool:
        """Return whether a recount has ended since the triggers were made."""
        return bool(self._marked(using).exists())

    def _replace(
        self, connection: BaseDatabaseWrapper, old: set[str], new: Iterable[Trigger]
    ) -> None:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            self._marked(connection.alias).delete()
            self._drop(connection, old)
            for one in new:
                for statement in one.statements:
                    cursor.execute(statement)

    def _marked(self, using: str) -> Any:
        return self.model._default_manager.using(using).filter(**self.mark)

    def _tables_exist(self, connection: BaseDatabaseWrapper) -> bool:
        tables = set(connection.introspection.table_names())
        return {self.model._meta.db_table, Message._meta.db_table} <= tables

    def _existing(self, connection: BaseDatabaseWrapper) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(_CATALOGUES[connection.vendor])
            names = {str(name) for (name,) in cursor.fetchall()}
        return {name for name in names if name.startswith(self.prefix)}

    def _drop(self, connection: BaseDatabaseWrapper, names: set[str]) -> None:
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            for name in sorted(names):
                if connection.vendor == "postgresql":
                    cursor.execute(f"DROP TRIGGER {quote(name)} ON {quote(Message._meta.db_table)}")
                    cursor.execute(f"DROP FUNCTION IF EXISTS {quote(name)}()")
                else:
                    cursor.execute(f"DROP TRIGGER {quote(name)}")
