"""What a recipient's deletion does to the recipient's messages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import pre_delete
from django.utils import timezone

from delivery import conf
from delivery.changes import message_changes
from delivery.models import Message
from delivery.models.queue import DUE_STATUSES
from delivery.models.transitions import TRANSITION_FIELDS, Failure

GONE = Failure("recipient_deleted", "The recipient was deleted before this was sent", "cancelled")


def waiting_for(recipient_ids: Collection[Any]) -> int:
    """Return how many messages to these recipients wait to be sent."""
    waiting = Message.objects.filter(recipient__in=recipient_ids, status__in=DUE_STATUSES)
    return waiting.filter(ambiguous=False).count()


def release(recipient_ids: Collection[Any], now: datetime) -> int:
    """Cancel what waits for these recipients, and mark all their messages; call it before the
    deletion, in the same transaction. Return how many messages were cancelled.

    A message that a worker holds at this moment cannot be cancelled here. Its mark stays, so that a
    worker which gives it back unsent does not leave it waiting for a person who is gone.
    """
    with message_changes(now) as changes:
        # Before the messages are looked for: who writes some to them now holds the recipients' rows.
        recipients = apps.get_model(conf.recipient_model())._default_manager
        list(
            recipients.filter(pk__in=recipient_ids).select_for_update().order_by("pk").values("pk")
        )
        theirs = Message.objects.filter(recipient__in=recipient_ids)
        # All of them, in the order of ids as everybody locks them, so that nobody can deadlock.
        list(theirs.locked().values_list("pk"))
        rows = list(theirs.filter(status__in=DUE_STATUSES, ambiguous=False).locked())
        for row in rows:
            previous = row.status
            row.withdraw(GONE, now)
            changes.add(row, previous=previous)
        for start in range(0, len(rows), 500):
            Message.objects.write(rows[start : start + 500], TRANSITION_FIELDS)
        theirs.update(recipient_gone=True)
    return len(rows)


def connect() -> None:
    """Connect :func:`release` to every deletion of a recipient; called once, when all apps are ready."""
    recipients = apps.get_model(conf.recipient_model())
    pre_delete.connect(_before_deletion, sender=recipients, dispatch_uid="delivery.recipient")


def _before_deletion(*, instance: Model, **_: Any) -> None:
    """Release the recipient in the deletion's own transaction: Django opens one around its signals."""
    release([instance.pk], timezone.now())
