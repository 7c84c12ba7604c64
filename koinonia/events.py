"""The events of contract section 6, made from what changed.

Their own times are RFC 3339 in milliseconds; a message or broadcast inside one is shaped as the API
shapes it, so that a client may put it into its list as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from delivery.changes import Change
from delivery.limits.spend import Spend
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.api.serializers.broadcasts import BroadcastSerializer
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.ids import encode
from koinonia.models import Broadcast
from realtime.log import NewEvent

CONFIRMS = frozenset({Status.DELIVERED, Status.FAILED, Status.DEAD})
"""The ends of which the author of a text is told."""


def message_created(message: Message) -> NewEvent:
    """``message.created`` for a single text, ``message.received`` for one that came in."""
    inbound = message.direction == Direction.INBOUND
    kind = "message.received" if inbound else "message.created"
    return NewEvent(kind, dict(MessageSerializer(message).data))


def message_status(change: Change) -> NewEvent:
    return NewEvent("message.status", _status(change))


def message_confirmed(change: Change, church: str) -> NewEvent:
    """For the author's own stream, which knows several churches."""
    return NewEvent("message.confirmed", {"church": church, **_status(change)})


def conversation_read(thread: int, at: datetime) -> NewEvent:
    return NewEvent(
        "conversation.read",
        {"conversation": encode(thread), "unread_count": 0, "read_at": milliseconds(at)},
    )


def broadcast_created(broadcast: Broadcast) -> NewEvent:
    return NewEvent("broadcast.created", dict(BroadcastSerializer(broadcast).data))


def broadcast_progress(broadcast: Broadcast) -> NewEvent:
    data = {"broadcast": encode(broadcast.pk), "counts": broadcast.counts()}
    return NewEvent("broadcast.progress", data)


def breaker_changed(state: str) -> NewEvent:
    return NewEvent("delivery.breaker", {"state": state})


def spend_changed(spend: Spend) -> NewEvent:
    """Tell that the church's texts wait for its daily cap, or no longer do (``until`` is null)."""
    until = milliseconds(spend.until) if spend.until else None
    return NewEvent("delivery.spend", {"parts": spend.parts, "cap": spend.cap, "until": until})


def _status(change: Change) -> dict[str, Any]:
    message = change.message
    return {
        "message": encode(message.pk),
        "status": message.status,
        "previous": change.previous,
        "conversation": encode(message.thread) if message.thread else None,
        "broadcast": encode(message.batch) if message.batch else None,
        "error": _error(message),
        "updated_at": milliseconds(message.updated_at),
    }


def _error(message: Message) -> dict[str, str] | None:
    if not message.error_code:
        return None
    return {
        "code": message.error_code,
        "title": message.error_title,
        "class": message.error_class,
    }


def milliseconds(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
