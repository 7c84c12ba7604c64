"""Is there work for a worker? Each cluster asks ten times a second."""

from __future__ import annotations

from datetime import datetime

from delivery import conf
from delivery.models import Message, WebhookEvent


def anything_due(now: datetime) -> bool:
    return (
        Message.objects.due(now).exists()
        or Message.objects.leases_ended(now).exists()
        or WebhookEvent.objects.due(now).exists()
        or conf.schedule().next_due(now) is not None
    )


def next_due(after: datetime, until: datetime) -> datetime | None:
    """Return when the next message or batch becomes due, after ``after`` and by ``until``, or None."""
    coming = Message.objects.due(until).filter(next_attempt_at__gt=after)
    row = coming.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    batch = conf.schedule().next_due(until)
    return min((when for when in (row, batch) if when and when > after), default=None)
