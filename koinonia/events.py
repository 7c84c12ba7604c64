"""The events of contract section 6, made from what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from delivery.changes import Change
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.ids import encode
from realtime.log import NewEvent

CONFIRMS = frozenset({Status.DELIVERED, Status.FAILED, Status.DEAD})
"""The ends of which the author of a text is told."""


def message_event(change: Change, shape: dict[str, Any]) -> NewEvent:
    """``message.created`` or ``message.received`` with the message as the API shows it."""
    inbound = change.message.direction == Direction.INBOUND
    return NewEvent("message.received" if inbound else "message.created", shape)


def status_event(change: Change) -> NewEvent:
    return NewEvent("message.status", _status(change))


def confirmation(change: Change, church: str) -> NewEvent:
    """For the author's own stream, which knows several churches."""
    return NewEvent("message.confirmed", {"church": church, **_status(change)})


def progress_event(broadcast_id: int, counts: dict[str, int]) -> NewEvent:
    return NewEvent("broadcast.progress", {"broadcast": encode(broadcast_id), "counts": counts})


def _status(change: Change) -> dict[str, Any]:
    message = change.message
    return {
        "message": encode(message.pk),
        "status": message.status,
        "previous": change.previous,
        "conversation": encode(message.thread) if message.thread else None,
        "broadcast": encode(message.batch) if message.batch else None,
        "error": error_shape(message),
        "updated_at": milliseconds(message.updated_at),
    }


def error_shape(message: Message) -> dict[str, str] | None:
    if not message.error_code:
        return None
    return {
        "code": message.error_code,
        "title": message.error_title,
        "class": message.error_class,
    }


def milliseconds(at: datetime) -> str:
    """RFC 3339 in UTC, as events have it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
