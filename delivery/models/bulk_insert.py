"""Insert many rows that share most of their values, without a model instance for each row.

PostgreSQL takes them by ``COPY``. Other databases, and PostgreSQL with psycopg 2, take them by
``executemany``. Decision 0060 compares the ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, models


class BulkInsert:
    """Inserts rows that differ from ``shared`` in the fields ``differing`` alone."""

    def __init__(self, shared: models.Model, differing: Sequence[str], *, using: str) -> None:
        self._connection = connections[using]
        meta = shared._meta
        self._fields: list[Any] = [meta.get_field(name) for name in differing]
        self._same_fields: list[Any] = [
            field
            for field in meta.concrete_fields
            if not field.primary_key and field not in self._fields
        ]
        self._same = [
            self._prepared(field, field.pre_save(shared, add=True)) for field in self._same_fields
        ]
        self._table = meta.db_table

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Insert ``rows``: each has the values of ``differing``, in this order."""
        complete = ([*map(self._prepared, self._fields, row), *self._same] for row in rows)
        with self._connection.cursor() as cursor:
            if self._can_copy:
                with cursor.copy(f"COPY {self._target()} FROM STDIN") as copy:
                    for row in complete:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * (len(self._fields) + len(self._same)))
                cursor.executemany(
                    f"INSERT INTO {self._target()} VALUES ({marks})",  # noqa: S608  # quoted names of a model
                    list(complete),
                )

    @property
    def _can_copy(self) -> bool:
        return self._connection.vendor == "postgresql" and _has_psycopg_3()

    def _target(self) -> str:
        quote = self._connection.ops.quote_name
        columns = [quote(field.column) for field in (*self._fields, *self._same_fields)]
        return f"{quote(self._table)} ({', '.join(columns)})"

    def _prepared(self, field: Any, value: Any) -> Any:
        # Every database takes these values as they are; asking the field for each is a third of an insert.
        if value is None or (type(value) in {str, int} and not isinstance(field, models.JSONField)):
            return value
        return field.get_db_prep_save(value, self._connection)


def _has_psycopg_3() -> bool:
    # Imported here: a host on another database need not have a driver for PostgreSQL.
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return bool(is_psycopg3)
