"""Cancel messages that have not been sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from delivery.changes import message_changes
from delivery.models import Message
from delivery.models.queue import DUE_STATUSES, MessageQuerySet
from delivery.models.transitions import TRANSITION_FIELDS
from delivery.statuses import Status

SLICE = 1_000
"""Messages that one transaction cancels: a batch may be too large to lock at once."""


def cancel_message(message: Message, *, now: datetime) -> bool:
    """Cancel one message. Return False if it is too late: a worker holds it, or it was sent."""
    with message_changes(now):
        rows = list(_cancellable(Message.objects.filter(pk=message.pk)).locked())
        _cancel(rows, now)
    return bool(rows)


def cancel_batch(
    tenant_id: Any, batch: int, *, now: datetime, finish: Callable[[], object] = lambda: None
) -> int:
    """Cancel the unsent messages of a batch in slices, and return their number.

    A message in a call is called back: it is not sent again if that call fails, or if its worker dies.
    Each slice is a transaction, and workers send in between. ``finish`` runs in the transaction of
    the last slice if any message was cancelled: after a crash, the call can be repeated.
    """
    of_batch = Message.objects.filter(tenant_id=tenant_id, batch=batch)
    if not _cancellable(of_batch).exists():
        return 0
    cancelled, last = 0, 0
    while True:
        with message_changes(now):
            # One query for both kinds: a message may change from one to the other at any time.
            unsent = of_batch.filter(status__in=(*DUE_STATUSES, Status.SENDING), pk__gt=last)
            rows = list(unsent.locked()[:SLICE])
            waiting = [row for row in rows if _may_be_cancelled(row)]
            cancelled += len(waiting)
            _call_back([row.pk for row in rows if not _may_be_cancelled(row)])
            _cancel(waiting, now)
            if len(rows) < SLICE:
                if cancelled:
                    finish()
                return cancelled
            last = rows[-1].pk


def _cancellable(messages: MessageQuerySet) -> MessageQuerySet:
    # A message that may have reached the provider cannot be cancelled.
    return messages.filter(status__in=DUE_STATUSES, ambiguous=False)


def _may_be_cancelled(row: Message) -> bool:
    return row.status in DUE_STATUSES and not row.ambiguous


def _cancel(rows: Sequence[Message], now: datetime) -> None:
    with message_changes(now) as changes:
        for row in rows:
            previous = row.status
            row.cancel(now)
            changes.add(row, previous=previous)
        for start in range(0, len(rows), 500):
            Message.objects.write(rows[start : start + 500], TRANSITION_FIELDS)


def _call_back(keys: Sequence[int]) -> None:
    """Mark messages that cannot be cancelled now: their next claim ends them."""
    if keys:
        Message.objects.filter(pk__in=keys).update(expires_at=F("created_at"))
