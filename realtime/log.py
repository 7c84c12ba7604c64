"""The event log: append events in commit order, read positions, begin new epochs.

Each stream numbers its events without a gap, in the transaction of the change that they report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from realtime import log_statements, notices
from realtime.models import Stream, new_epoch

_json = DjangoJSONEncoder(separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that has no number yet. ``data`` is JSON."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """The last event of a stream."""

    epoch: str
    seq: int


def append(events: Mapping[str, Sequence[NewEvent]], *, now: datetime) -> None:
    """Append to each stream, as the last statement of the caller's transaction.

    The row of a stream stays locked until commit, so commits number events in order and a rollback
    returns the numbers. Call this once per transaction, and write nothing after it.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "Append events inside the transaction of the change that they report."
        )
    # Lock streams in key order, so that two transactions cannot deadlock.
    for key in sorted(key for key in events if events[key]):
        notices.publish_on_commit(key, _append(key, events[key], now))


def position(key: str) -> Position:
    """Return the head of a stream; create a stream that does not exist."""
    found = log_statements.head(key)
    if found is not None:
        return Position(*found)
    stream = Stream.objects.get_or_create(key=key)[0]
    return Position(stream.epoch, stream.last_seq)


def begin_epochs() -> int:
    """Give each stream a new epoch after a restore; return the number of streams.

    The restored log has fewer events than clients have seen. The new epoch makes clients reset.
    """
    with transaction.atomic():
        streams = list(Stream.objects.select_for_update().order_by("key"))
        for stream in streams:
            stream.epoch = new_epoch()
        Stream.objects.bulk_update(streams, ["epoch"], batch_size=500)
    return len(streams)


def _append(key: str, events: Sequence[NewEvent], now: datetime) -> int:
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    rows = [(event.type, _encode(event, at)) for event in events]
    last = log_statements.insert(key, rows, now)
    if last is None:
        Stream.objects.bulk_create([Stream(key=key)], ignore_conflicts=True)
        last = log_statements.insert(key, rows, now)
    if last is None:
        raise RuntimeError(f"The stream {key!r} was deleted during an append.")
    return last


def _encode(event: NewEvent, at: str) -> str:
    """Return the JSON of the event without the opening brace: the database adds ``seq`` first."""
    return _json.encode({"type": event.type, "at": at, "data": event.data})[1:]
