"""Cancel messages that have not been sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from delivery.changes import message_changes
from delivery.models import Message
from delivery.models.queue import DUE_STATUSES, MessageQuerySet
from delivery.models.transitions import TRANSITION_FIELDS

SLICE = 1_000
"""Messages that one transaction cancels: a batch may be too large to lock at once."""


def cancel_message(message: Message, *, now: datetime) -> bool:
    """Cancel one message. Return False if it is too late: a worker holds it, or it was sent."""
    return bool(_cancel(Message.objects.filter(pk=message.pk), now))


def cancel_batch(
    tenant_id: Any, batch: int, *, now: datetime, finish: Callable[[], object] = lambda: None
) -> int:
    """Cancel the unsent messages of a batch in slices, and return their number.

    Each slice is a transaction, and workers send in between. ``finish`` runs in the transaction of
    the last slice if any message was cancelled: after a crash, the call can be repeated.
    """
    cancelled, last = 0, 0
    while True:
        with message_changes(now):
            rest = Message.objects.filter(tenant_id=tenant_id, batch=batch, pk__gt=last)
            rows = _cancel(rest, now)
            cancelled += len(rows)
            if len(rows) < SLICE:
                if cancelled:
                    finish()
                return cancelled
            last = rows[-1].pk


def _cancel(messages: MessageQuerySet, now: datetime) -> list[Message]:
    """Cancel at most ``SLICE`` of these messages, and return them in the order of their keys."""
    # A message that may have reached the provider cannot be cancelled.
    cancellable = messages.filter(status__in=DUE_STATUSES, ambiguous=False)
    with message_changes(now) as changes:
        rows = list(cancellable.locked()[:SLICE])
        for row in rows:
            previous = row.status
            row.cancel(now)
            changes.add(row, previous=previous)
        for start in range(0, len(rows), 500):
            Message.objects.write(rows[start : start + 500], TRANSITION_FIELDS)
    return rows
