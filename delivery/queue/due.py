"""Is there work for a worker? Each cluster asks ten times a second."""

from __future__ import annotations

from datetime import datetime

from delivery import conf
from delivery.models import Message, WebhookEvent
from delivery.queue.heads import heads


def anything_due(now: datetime) -> bool:
    return (
        any(head.is_due(now) for head in heads())
        or Message.objects.leases_ended(now).exists()
        or WebhookEvent.objects.due(now).exists()
        or conf.schedule().next_due(now) is not None
    )


def next_due(after: datetime, until: datetime) -> datetime | None:
    """Return when the next message or batch becomes due, after ``after`` and by ``until``, or None.

    A line with a due message counts only that one: there is work already.
    """
    coming = [head.due_at for head in heads()]
    batch = conf.schedule().next_due(until)
    return min((when for when in (*coming, batch) if when and after < when <= until), default=None)


def is_due_soon(until: datetime) -> bool:
    """Return whether a message is due, or becomes due by ``until``."""
    return any(head.due_at <= until for head in heads())
