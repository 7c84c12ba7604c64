"""Write many rows, each with different values, in one statement.

PostgreSQL gets the rows as one JSON parameter (``json_to_recordset``), because psycopg spends most of the
time of a statement with thousands of parameters on finding their places and on quoting them. Other
databases execute a prepared statement for each row. Decision 57 compares the ways. A value that all
rows share appears once in the statement: accepted messages differ in little but their ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


def write(rows: Sequence[models.Model], fields: Sequence[str], *, using: str) -> int:
    """Write ``fields`` of ``rows`` (the caller has locked them). Return the number of rows."""
    if not rows:
        return 0
    columns = {field.name: _column(rows, field) for field in _fields(type(rows[0]), fields)}
    return write_values(type(rows[0]), [row.pk for row in rows], columns, using=using)


def write_values(
    model: type[models.Model],
    keys: Sequence[Any],
    columns: Mapping[str, Sequence[Any]],
    *,
    using: str,
) -> int:
    """Write the values of each named field to the rows with these primary keys, without instances.

    The nth value of a field belongs to the nth key. Return the number of rows.
    """
    if not keys:
        return 0
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = dict(zip(columns, _fields(model, columns), strict=True))
    shared = [name for name, values in columns.items() if _may_share(fields[name], values)]
    differing = [name for name in columns if name not in shared]
    table = quote(model._meta.db_table)
    given = [_Given(model._meta.pk, keys, connection)]
    given += [_Given(fields[name], columns[name], connection) for name in differing]
    assigned = [f"{quote(fields[name].column)} = %s" for name in shared]
    constants = [_prepared(fields[name], columns[name][0], connection) for name in shared]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            assigned += [f"{one.column} = {one.value(at)}" for at, one in enumerate(given) if at]
            cursor.execute(
                f"UPDATE {table} SET {', '.join(assigned)} FROM {_recordset(given)} "  # noqa: S608 -- names are ours, values are parameters
                f"WHERE {table}.{given[0].column} = {given[0].value(0)}",
                [*constants, _document(given)],
            )
        else:
            assigned += [f"{one.column} = %s" for one in given[1:]]
            each = zip(*(one.values for one in [*given[1:], given[0]]), strict=True)
            cursor.executemany(
                f"UPDATE {table} SET {', '.join(assigned)} WHERE {given[0].column} = %s",  # noqa: S608 -- as above
                [[*constants, *values] for values in each],
            )
        return int(cursor.rowcount)


def insert(rows: Sequence[models.Model], *, using: str) -> None:
    """Insert ``rows``. Their instances get no primary keys."""
    if not rows:
        return
    connection = connections[using]
    meta = rows[0]._meta
    given = [
        _Given(field, _column(rows, field), connection)
        for field in meta.concrete_fields
        if not isinstance(field, models.AutoField)
    ]
    into = f"INSERT INTO {connection.ops.quote_name(meta.db_table)} ({', '.join(one.column for one in given)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = ", ".join(one.value(at) for at, one in enumerate(given))
            cursor.execute(
                f"{into} SELECT {values} FROM {_recordset(given)}",  # noqa: S608 -- as above
                [_document(given)],
            )
        else:
            places = ", ".join(["%s"] * len(given))
            each = zip(*(one.values for one in given), strict=True)
            cursor.executemany(f"{into} VALUES ({places})", list(each))


def _fields(model: type[models.Model], names: Iterable[str]) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def _column(rows: Sequence[models.Model], field: Any) -> list[Any]:
    return [getattr(row, field.attname) for row in rows]


_PLAIN: Mapping[type[Any], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.IntegerField: int,
    models.BigIntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveSmallIntegerField: int,
}
"""Values of this type go to the database as they are; Django would spend a microsecond to say so."""


class _Given:
    """A column of the statement: its field, and its values as the database takes them."""

    def __init__(self, field: Any, values: Iterable[Any], connection: BaseDatabaseWrapper) -> None:
        self.column = connection.ops.quote_name(field.column)
        plain = _PLAIN.get(type(field), type(None))
        self.values = [
            value if value is None or type(value) is plain else _prepared(field, value, connection)
            for value in values
        ]
        # PostgreSQL reads a nested JSON value only from a text.
        self.is_json = isinstance(field, models.JSONField)
        self.type = "text" if self.is_json else _type(field, connection)

    def value(self, at: int) -> str:
        return f"CAST(given.c{at} AS jsonb)" if self.is_json else f"given.c{at}"


def _recordset(given: Sequence[_Given]) -> str:
    columns = ", ".join(f"c{at} {one.type}" for at, one in enumerate(given))
    return f"json_to_recordset(%s) AS given ({columns})"


def _document(given: Sequence[_Given]) -> str:
    names = [f"c{at}" for at in range(len(given))]
    rows = [
        dict(zip(names, values, strict=True))
        for values in zip(*(one.values for one in given), strict=True)
    ]
    return json.dumps(rows, default=_text, allow_nan=False, ensure_ascii=False)


def _type(field: Any, connection: BaseDatabaseWrapper) -> str:
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))


def _prepared(field: Any, value: Any, connection: BaseDatabaseWrapper) -> Any:
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder)
    if isinstance(field, models.BinaryField) and value is not None:
        return bytes(value)
    return field.get_db_prep_save(value, connection)


def _may_share(field: Any, values: Sequence[Any]) -> bool:
    """Return whether one value stands for all. In JSON, ``1`` and ``true`` are equal only to Python."""
    first = values[0]
    return not isinstance(field, models.JSONField) and all(value == first for value in values)


def _text(value: Any) -> str:
    """Return the form in which PostgreSQL reads ``value`` from a text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | IPv4Address | IPv6Address):
        return str(value)
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)} microseconds"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"A bulk write cannot write a {type(value).__name__}.")
