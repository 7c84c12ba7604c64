"""Update many rows, each with different values, in one statement.

``UPDATE … FROM (VALUES …)`` works on PostgreSQL and SQLite. Django's ``bulk_update`` builds a ``CASE``
with a branch for each row and field instead; decision 0046 compares the two. A value that all rows
share appears once in the statement: accepted messages differ in little but their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


def write(rows: Sequence[models.Model], fields: Sequence[str], *, using: str) -> int:
    """Write ``fields`` of ``rows`` (the caller has locked them). Return the number of rows."""
    if not rows:
        return 0
    connection = connections[using]
    meta = rows[0]._meta
    shared, differing = _split(rows, [meta.get_field(name) for name in fields])
    given = [meta.pk, *differing]
    parameters = [_value(rows[0], field, connection) for field in shared]
    for row in rows:
        parameters += [_value(row, field, connection) for field in given]
    with connection.cursor() as cursor:
        cursor.execute(_statement(meta.db_table, shared, given, len(rows), connection), parameters)
        return int(cursor.rowcount)


def _split(rows: Sequence[models.Model], fields: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the fields with one value for all ``rows``, and the fields with different values."""
    shared, differing = list[Any](), list[Any]()
    for field in fields:
        first = getattr(rows[0], field.attname)
        same = all(getattr(row, field.attname) == first for row in rows)
        (shared if same else differing).append(field)
    return shared, differing


def _value(row: models.Model, field: Any, connection: BaseDatabaseWrapper) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


def _statement(
    table: str, shared: list[Any], given: list[Any], rows: int, connection: BaseDatabaseWrapper
) -> str:
    quote = connection.ops.quote_name
    values = [_given(field, number, connection) for number, field in enumerate(given, 1)]
    assigned = [f"{quote(field.column)} = %s" for field in shared]
    assigned += [
        f"{quote(field.column)} = {value}"
        for field, value in list(zip(given, values, strict=True))[1:]
    ]
    row = f"({', '.join(['%s'] * len(given))})"
    return (
        f"UPDATE {quote(table)} SET {', '.join(assigned)} "  # noqa: S608 -- names are ours, values are parameters
        f"FROM (VALUES {', '.join([row] * rows)}) AS given "
        f"WHERE {quote(table)}.{quote(given[0].column)} = {values[0]}"
    )


def _given(field: Any, number: int, connection: BaseDatabaseWrapper) -> str:
    """Return the nth value. PostgreSQL reads an untyped value as text; on SQLite a cast would change it."""
    value = f"given.column{number}"
    if connection.vendor != "postgresql":
        return value
    return f"CAST({value} AS {field.rel_db_type(connection) if field.primary_key else field.db_type(connection)})"
