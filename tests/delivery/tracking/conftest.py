from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.models import Message, WebhookEvent
from delivery.providers.telnyx import events
from delivery.statuses import Status
from koinonia.models import Church

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
MEMBER = "+13125550001"

MakeMessage = Callable[..., Message]


@pytest.fixture
def message(grace: Church) -> MakeMessage:
    """Return a function that writes messages of Grace church: ``message("accepted",
    provider_id="p1")``."""

    def make(status: str = Status.ACCEPTED, **over: Any) -> Message:
        values: dict[str, Any] = {
            "tenant": grace,
            "to_number": MEMBER,
            "from_number": grace.phone_number,
            "text": "Choir practice is at seven.",
            "created_at": NOW - timedelta(minutes=5),
            "updated_at": NOW - timedelta(minutes=5),
            "next_attempt_at": NOW,
            **over,
        }
        return Message.objects.create(status=status, **values)

    return make


def store(body: dict[str, Any], ref: str = "", *, now: datetime = NOW) -> WebhookEvent:
    """Store a valid event as the endpoint does."""
    event = events.event(body, ref=ref, now=now)
    row = WebhookEvent(**asdict(event), received_at=now, due_at=now)
    WebhookEvent.objects.bulk_create([row], ignore_conflicts=True)
    return WebhookEvent.objects.get(event_id=row.event_id)
