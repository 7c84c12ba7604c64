"""The events of the realtime protocol (docs/realtime-protocol.md), built from changed rows.

Times of events are RFC 3339 in milliseconds. A message or broadcast inside an event has the shape of
the API, so that a client can insert it into a list without a conversion.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from delivery.changes import Change
from delivery.limits.spend import Spend
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.api.serializers.broadcasts import BroadcastSerializer
from koinonia.api.serializers.conversations import ConversationSerializer
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.api.serializers.notes import NoteSerializer
from koinonia.ids import encode
from koinonia.models import Broadcast, Conversation, Note
from realtime.log import NewEvent

CONFIRMS = frozenset({Status.DELIVERED, Status.FAILED, Status.DEAD})
"""Final statuses that the author of a message gets an event about."""


def message_created(message: Message) -> NewEvent:
    """Build ``message.created`` for an outbound message, ``message.received`` for an inbound one."""
    inbound = message.direction == Direction.INBOUND
    kind = "message.received" if inbound else "message.created"
    return NewEvent(kind, dict(MessageSerializer(message).data))


def message_status(change: Change) -> NewEvent:
    return NewEvent("message.status", _status(change))


def message_confirmed(change: Change, church: str) -> NewEvent:
    """Build the event for the author's stream, which covers several churches."""
    return NewEvent("message.confirmed", {"church": church, **_status(change)})


def conversation_read(thread: int, unread: int, at: datetime) -> NewEvent:
    return NewEvent(
        "conversation.read",
        {"conversation": encode(thread), "unread_count": unread, "read_at": milliseconds(at)},
    )


def conversation_updated(conversation: Conversation, *, opted_out: bool) -> NewEvent:
    """Build the event for what a colleague decided: the answerer, done or open, an opt-out."""
    shown = ConversationSerializer(conversation).data
    return NewEvent(
        "conversation.updated",
        {
            "conversation": encode(conversation.pk),
            "assigned_to": shown["assigned_to"],
            "done": shown["done"],
            "opted_out": opted_out,
        },
    )


def note_created(note: Note) -> NewEvent:
    return NewEvent("note.created", dict(NoteSerializer(note).data))


def note_deleted(note: Note) -> NewEvent:
    data = {"note": encode(note.pk), "conversation": encode(note.conversation_id)}
    return NewEvent("note.deleted", data)


def broadcast_created(broadcast: Broadcast) -> NewEvent:
    return NewEvent("broadcast.created", dict(BroadcastSerializer(broadcast).data))


def broadcast_progress(broadcast: Broadcast) -> NewEvent:
    data = {"broadcast": encode(broadcast.pk), "counts": broadcast.counts()}
    return NewEvent("broadcast.progress", data)


def breaker_changed(state: str) -> NewEvent:
    return NewEvent("delivery.breaker", {"state": state})


def spend_changed(spend: Spend) -> NewEvent:
    """Build the event for reaching the daily cap, or for its end (``until`` is null)."""
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
    """Format ``at`` as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
