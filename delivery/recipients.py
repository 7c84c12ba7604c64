"""Release the messages of a recipient before the recipient is deleted."""

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
    """Return the number of messages to these recipients that wait to be sent."""
    waiting = Message.objects.filter(recipient__in=recipient_ids, status__in=DUE_STATUSES)
    return waiting.filter(ambiguous=False).count()


def release(recipient_ids: Collection[Any], now: datetime) -> int:
    """Cancel the waiting messages of these recipients, and return their number.

    Call it before the deletion, in the same transaction. It also marks all messages of these
    recipients. A message that a worker holds cannot be cancelled here; because of the mark it is
    cancelled later if the worker returns it unsent.
    """
    with message_changes(now) as changes:
        # Lock the recipients before the query for messages: a transaction that is adding messages
        # for a recipient holds a lock on the recipient's row.
        recipients = apps.get_model(conf.recipient_model())._default_manager
        list(
            recipients.filter(pk__in=recipient_ids).select_for_update().order_by("pk").values("pk")
        )
        theirs = Message.objects.filter(recipient__in=recipient_ids)
        # Lock all messages in the order of ids, as all code does, so that no deadlock is possible.
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
