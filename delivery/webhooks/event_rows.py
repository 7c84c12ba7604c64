"""The row of a webhook event as a tuple, and the INSERT of many such rows.

A model instance for each event, and a statement with ten parameters for each, cost more CPU than the
database does. Arrays with ``unnest`` are no better: psycopg quotes each item (docs/decisions/0051).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from delivery.models import WebhookEvent
from delivery.providers.base import ProviderEvent


class EventRow(NamedTuple):
    """The columns of a new event. It is due at once, and has no result."""

    provider: str
    event_id: str
    event_type: str
    provider_id: str
    ref: str
    occurred_at: datetime
    received_at: datetime
    payload: dict[str, Any]


_COLUMNS = ", ".join([*EventRow._fields, "due_at", "result"])


def row_of(event: ProviderEvent, alias: str, now: datetime) -> EventRow:
    """Return the row of ``event``, received ``now`` for the provider ``alias``."""
    return EventRow(
        alias, event.event_id, event.event_type, event.provider_id, event.ref,
        event.occurred_at, now, event.payload,
    )  # fmt: skip


def insert(rows: Sequence[EventRow]) -> None:
    """Commit the new ones of ``rows``: a provider repeats an event, even two copies at a time."""
    # Sort, so that two processes with the same events cannot deadlock.
    ordered = sorted(rows, key=lambda row: row[:2])
    connection = _connection()
    if connection.vendor == "postgresql":
        _insert_document(connection, ordered)
    else:
        _insert_each(connection, ordered)


def drop_broken_connection() -> bool:
    """Close the connection of this thread if the server has ended it, and return whether it has."""
    connection = _connection()
    if connection.in_atomic_block or connection.connection is None or connection.is_usable():
        return False
    connection.close()
    return True


def reach_database() -> None:
    """Raise OperationalError or InterfaceError unless the database answers."""
    with _connection().cursor() as cursor:
        cursor.execute("SELECT 1")


def close_connection() -> None:
    """Return the connection of this thread to its pool, or end it."""
    _connection().close()


def _connection() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(WebhookEvent)]


def _insert_document(connection: BaseDatabaseWrapper, rows: Sequence[EventRow]) -> None:
    """Insert by one statement with one parameter. It commits by itself."""
    document = json.dumps([row._asdict() for row in rows], default=datetime.isoformat)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(connection)} ({_COLUMNS})"  # noqa: S608  # names of our columns
            " SELECT provider, event_id, event_type, provider_id, ref, occurred_at, received_at,"
            " payload, received_at, ''"
            " FROM json_to_recordset(%s::json) AS event (provider text, event_id text,"
            " event_type text, provider_id text, ref text, occurred_at timestamptz,"
            " received_at timestamptz, payload jsonb)"
            " ON CONFLICT DO NOTHING",
            [document],
        )


def _insert_each(connection: BaseDatabaseWrapper, rows: Sequence[EventRow]) -> None:
    """Insert by one prepared statement, in one transaction."""
    places = ", ".join(["%s"] * (len(EventRow._fields) + 2))
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {_table(connection)} ({_COLUMNS}) VALUES ({places})"  # noqa: S608  # ditto
            " ON CONFLICT DO NOTHING",
            [_values(connection, row) for row in rows],
        )


def _values(connection: BaseDatabaseWrapper, row: EventRow) -> list[Any]:
    stored = connection.ops.adapt_datetimefield_value
    received_at = stored(row.received_at)
    return [
        *row[:5],
        stored(row.occurred_at),
        received_at,
        json.dumps(row.payload),
        received_at,
        "",
    ]


def _table(connection: BaseDatabaseWrapper) -> str:
    return connection.ops.quote_name(WebhookEvent._meta.db_table)
