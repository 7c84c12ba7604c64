"""The provider's answers: to a call, and later by webhook."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from delivery.models import Message, Outcome, WebhookEvent
from delivery.providers.base import SendOutcome
from delivery.references import reference
from delivery.statuses import Status

REPORTS = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "delivery_failed": Status.FAILED,
    "delivery_unconfirmed": Status.UNCONFIRMED,
}

V = SendOutcome
REFUSALS = {
    "unavailable": V(kind=Outcome.RETRYABLE, code="10037", http_status=503),
    "lost": V(kind=Outcome.AMBIGUOUS, code="answer_lost", reached=False),
    "permanent": V(kind=Outcome.PERMANENT, code="40310", http_status=400),
    "gateway": V(kind=Outcome.PERMANENT, code="http_404", http_status=404, from_provider=False),
    "stopped": V(kind=Outcome.PERMANENT, code="40300", opted_out=True),
    "sender": V(kind=Outcome.CONFIGURATION, code="40305"),
    "unpaid": V(kind=Outcome.CONFIGURATION, code="20100", whole_account=True, hold=True),
    "throttled": V(kind=Outcome.THROTTLED, code="10011", whole_account=True, retry_after=0.001),
}


def store_event(
    message: Message, provider_id: str, status: str, *, at: datetime, now: datetime
) -> None:
    """Store a webhook, received ``now``, with the ``status`` of one send of ``message`` ``at`` a
    time."""
    kind = "message.sent" if status == "sent" else "message.finalized"
    payload = {
        "id": provider_id, "direction": "outbound", "record_type": "message",
        "from": {"phone_number": message.from_number}, "errors": [],
        "to": [{"phone_number": message.to_number, "status": status}],
    }  # fmt: skip
    event_id = str(uuid.uuid4())
    event = {
        "event_type": kind, "id": event_id, "record_type": "event",
        "occurred_at": at.isoformat(), "payload": payload,
    }  # fmt: skip
    with transaction.atomic():
        WebhookEvent.objects.create(
            event_id=event_id, event_type=kind, provider_id=provider_id,
            ref=reference(message.pk), occurred_at=at, received_at=now, due_at=now, payload=event,
        )  # fmt: skip
