"""Texts between a church and a person, as rows."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.conversations import conversation_with
from koinonia.models import Church

STRANGER = "+13125550177"


def text(church: Church, *, inbound: bool = False, number: str = STRANGER, **over: Any) -> Message:
    at = over.pop("at", timezone.now())
    ours, theirs = church.phone_number, number
    values = {
        "tenant": church, "text": "the secret words", "created_at": at, "updated_at": at,
        "to_number": ours if inbound else theirs, "from_number": theirs if inbound else ours,
        "direction": Direction.INBOUND if inbound else Direction.OUTBOUND,
        "status": Status.RECEIVED if inbound else Status.DELIVERED,
        "thread": conversation_with(church, theirs, now=at).pk, **over,
    }  # fmt: skip
    return Message.objects.create(**values)
