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


def next_due(after: datetime, until: datetime) -> datetime | None:
    """When the next waiting row comes due between the two; None where none does."""
    coming = Message.objects.due(until).filter(next_attempt_at__gt=after)
    return coming.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
