from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from delivery.changes import message_changes
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.models import Church

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHONE = "+13125550123"


def receive(church: Church, words: str = "Yes!", number: str = PHONE, **over: Any) -> Message:
    """Store a text from ``number``, as the worker does."""
    with message_changes(NOW) as changes:
        message = Message.objects.create(
            tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
            from_number=number, text=words, thread=conversation_with(church, number, now=NOW).pk,
            created_at=NOW, updated_at=NOW, **over,
        )  # fmt: skip
        changes.add(message)
    return message


def send(church: Church, words: str, number: str = PHONE, **over: Any) -> Message:
    """Store a delivered text to ``number``."""
    with message_changes(NOW) as changes:
        message = Message.objects.create(
            tenant=church, to_number=number, from_number=church.phone_number, text=words,
            thread=conversation_with(church, number, now=NOW).pk, created_at=NOW, updated_at=NOW,
            **{"status": Status.DELIVERED, **over},
        )  # fmt: skip
        changes.add(message)
    return message
