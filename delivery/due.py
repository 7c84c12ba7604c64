"""Is there anything for a worker to do? Asked ten times a second by each cluster."""

from __future__ import annotations

from datetime import datetime

from delivery.models import Message, WebhookEvent


def anything_due(now: datetime) -> bool:
    return (
        Message.objects.due(now).exists()
        or Message.objects.leases_ended(now).exists()
        or WebhookEvent.objects.due(now).exists()
    )
