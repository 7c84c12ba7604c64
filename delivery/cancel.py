"""Cancel messages that have not been sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from delivery.changes import message_changes
from delivery.models import Message
from delivery.models.queue import DUE_STATUSES, MessageQuerySet
from delivery.models.transitions import TRANSITION_FIELDS


def cancel_message(message: Message, *, now: datetime) -> bool:
    """Cancel one message. Return False if it is too late: a worker holds it, or it was sent."""
    return _cancel(Message.objects.filter(pk=message.pk), now) == 1


def cancel_batch(tenant_id: Any, batch: int, *, now: datetime) -> int:
    """Cancel the unsent messages of a batch, and return their number."""
    return _cancel(Message.objects.filter(tenant_id=tenant_id, batch=batch), now)


def _cancel(messages: MessageQuerySet, now: datetime) -> int:
    # A message that may have reached the provider cannot be cancelled.
    cancellable = messages.filter(status__in=DUE_STATUSES, ambiguous=False)
    with message_changes(now) as changes:
        rows = list(cancellable.locked())
        for row in rows:
            previous = row.status
            row.cancel(now)
            changes.add(row, previous=previous)
        for start in range(0, len(rows), 500):
            Message.objects.write(rows[start : start + 500], TRANSITION_FIELDS)
    return len(rows)
