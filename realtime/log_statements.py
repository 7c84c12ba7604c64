"""The statements that read the head of a stream, take numbers from it and insert its events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

_ADD_ONE_ON_POSTGRESQL = """
    WITH stream AS (
        UPDATE realtime_stream SET last_seq = last_seq + 1 WHERE key = %s RETURNING id, last_seq
    )
    INSERT INTO realtime_event (stream_id, seq, type, body, at)
    SELECT id, last_seq, %s, '{"seq":' || last_seq || ',' || %s, %s FROM stream
    RETURNING seq
"""
_ADD_MANY_ON_POSTGRESQL = r"""
    WITH stream AS (
        UPDATE realtime_stream SET last_seq = last_seq + %s WHERE key = %s
        RETURNING id, last_seq, last_seq - %s AS before
    ), added AS (
        INSERT INTO realtime_event (stream_id, seq, type, body, at)
        SELECT id, before + place, type, '{"seq":' || before + place || ',' || members, %s
        FROM stream, unnest(string_to_array(%s, E'\n'), string_to_array(%s, E'\n'))
            WITH ORDINALITY AS event (type, members, place)
    )
    SELECT last_seq FROM stream
"""
_TAKE_NUMBERS = (
    "UPDATE realtime_stream SET last_seq = last_seq + %s WHERE key = %s RETURNING id, last_seq"
)
_ADD_EVENT = (
    "INSERT INTO realtime_event (stream_id, seq, type, body, at)"
    " VALUES (%s, %s, %s, '{\"seq\":' || %s || ',' || %s, %s)"
)
_HEAD = "SELECT epoch, last_seq FROM realtime_stream WHERE key = %s"
Rows = Sequence[tuple[str, str]]
"""The type of each event, and the members of its JSON after ``seq``, with the closing brace."""


def head(key: str) -> tuple[str, int] | None:
    """Return the epoch and the last number of the stream, None without a stream.

    The ORM would take longer than the database, and each read of a host may ask this.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, [key])
        found: tuple[str, int] | None = cursor.fetchone()
    return found


def insert(key: str, rows: Rows, now: datetime) -> int | None:
    """Insert the events with the next numbers of the stream; return the last, None without a stream.

    The first step locks the row of the stream until commit.
    """
    if connection.vendor == "postgresql":
        return _insert_in_one_statement(key, rows, now)
    return _take_numbers_and_insert(key, rows, now)


def _insert_in_one_statement(key: str, rows: Rows, now: datetime) -> int | None:
    cursor = _preparing_cursor()
    if len(rows) == 1:
        ((kind, members),) = rows
        cursor.execute(_ADD_ONE_ON_POSTGRESQL, (key, kind, members, now))
    else:
        count = len(rows)
        # JSON escapes line ends. A list as parameter would cost 17 µs per event for its own escapes.
        kinds = "\n".join(kind for kind, _ in rows)
        members = "\n".join(members for _, members in rows)
        cursor.execute(_ADD_MANY_ON_POSTGRESQL, (count, key, count, now, kinds, members))
    found: tuple[int] | None = cursor.fetchone()
    return None if found is None else found[0]


def _take_numbers_and_insert(key: str, rows: Rows, now: datetime) -> int | None:
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_NUMBERS, (len(rows), key))
        taken: tuple[int, int] | None = cursor.fetchone()
        if taken is None:
            return None
        stream, last = taken
        cursor.executemany(
            _ADD_EVENT,
            [
                (stream, seq, kind, seq, members, moment)
                for seq, (kind, members) in enumerate(rows, last - len(rows) + 1)
            ],
        )
    return last


def _preparing_cursor() -> CursorWrapper:
    """Return a cursor that prepares its statements, if ``prepare_threshold`` is in the OPTIONS.

    To plan the statement takes PostgreSQL longer than to execute it. Django's default cursors put
    the parameters into the text and prepare nothing.
    """
    raw: Any = connection.connection
    if getattr(raw, "prepare_threshold", None) is None:
        return connection.cursor()
    import psycopg  # only this connection needs it

    # The stubs of Django know only its own default cursor.
    wrap: Any = (
        connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    )
    cursor: CursorWrapper = wrap(psycopg.Cursor(raw))
    return cursor
