"""The log: events numbered without a gap, in commit order, in the change's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from realtime import notices
from realtime.models import Stream

_TAKE_NUMBERS = (
    "UPDATE realtime_stream SET last_seq = last_seq + %s WHERE key = %s RETURNING id, last_seq"
)
_ADD_EVENTS = "INSERT INTO realtime_event (stream_id, seq, type, body, at) VALUES "
_ROWS_AT_ONCE = 500
_json = DjangoJSONEncoder(separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What happened, before it has its number. ``data`` is JSON."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream has come."""

    epoch: str
    seq: int


def append(events: Mapping[str, Sequence[NewEvent]], *, now: datetime) -> None:
    """Append to each stream, as the last act of the caller's transaction.

    A stream's row stays locked until commit, so that numbers are given in commit order and a
    rollback gives them back: call it once per transaction, and write nothing after it.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "Events are appended inside the transaction of the change that they tell of."
        )
    for key in sorted(key for key in events if events[key]):
        notices.publish_on_commit(key, _append(key, events[key], now))


def position(key: str) -> Position:
    """The head of a stream. One that nothing was ever written to begins now."""
    stream = Stream.objects.get_or_create(key=key)[0]
    return Position(stream.epoch, stream.last_seq)


def _append(key: str, events: Sequence[NewEvent], now: datetime) -> int:
    stream_id, last = _take_numbers(key, len(events))
    first = last - len(events) + 1
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    moment = connection.ops.adapt_datetimefield_value(now)
    rows = [
        (stream_id, seq, event.type, _encode(seq, event, at), moment)
        for seq, event in enumerate(events, first)
    ]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(some))
            # Not by the ORM, whose instances cost more than all the rest of appending.
            cursor.execute(_ADD_EVENTS + values, list(chain.from_iterable(some)))
    return last


def _take_numbers(key: str, count: int) -> tuple[int, int]:
    taken = _try_to_take(key, count)
    if taken is None:
        Stream.objects.bulk_create([Stream(key=key)], ignore_conflicts=True)
        taken = _try_to_take(key, count)
    if taken is None:
        raise RuntimeError(f"The stream {key!r} vanished while it was written to.")
    return taken


def _try_to_take(key: str, count: int) -> tuple[int, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_NUMBERS, [count, key])
        row: tuple[int, int] | None = cursor.fetchone()
    return row


def _encode(seq: int, event: NewEvent, at: str) -> str:
    shape = {"seq": seq, "type": event.type, "at": at, "data": event.data}
    return _json.encode(shape)
