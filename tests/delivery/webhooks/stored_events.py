"""Events of Telnyx as stored rows, and the text that they are about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from delivery.models import Direction, Message, WebhookEvent
from delivery.statuses import Status
from koinonia.models import Church

NOW = timezone.now()
PERSON, PROVIDER_ID = "+13125550177", "40385f64-5717-4562-b3fc-2c963f66afa6"


def event(event_type: str = "message.finalized", status: str = "delivered", **over: Any) -> Any:
    at: datetime = over.pop("at", NOW - timedelta(minutes=5))
    payload = {
        "id": PROVIDER_ID, "direction": "outbound", "text": "the secret words",
        "from": {"phone_number": over.pop("from_number", "+13125550100")},
        "to": [{"phone_number": over.pop("to_number", PERSON), "status": status}],
    }  # fmt: skip
    return WebhookEvent.objects.create(
        provider="telnyx", event_id=over.pop("event_id", f"{event_type}-{status}"),
        event_type=event_type, provider_id=PROVIDER_ID, occurred_at=at, received_at=at, due_at=at,
        payload={"event_type": event_type, "payload": payload}, **over,
    )  # fmt: skip


def sent(church: Church) -> Message:
    return Message.objects.create(
        tenant=church, direction=Direction.OUTBOUND, status=Status.SENT, text="Hello",
        to_number=PERSON, from_number=church.phone_number, provider_id=PROVIDER_ID,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
