from __future__ import annotations

from datetime import datetime

from delivery.changes import message_changes
from delivery.models import Message
from delivery.statuses import Status
from koinonia.models import Conversation


def mark_read(conversation: Conversation, *, now: datetime) -> int:
    """Staff have seen what came in: how many texts that were.

    The changes it makes are ``received`` after ``received``, with ``read_at`` set.
    """
    with message_changes(now) as changes:
        # First of all: a text that is coming in adds to the count of its conversation, and must not be
        # counted as read where it was not yet to be seen. Nobody else locks texts that came in.
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        unread = Message.objects.filter(
            thread=conversation.pk, status=Status.RECEIVED, read_at__isnull=True
        )
        messages = list(unread.locked())
        for message in messages:
            message.read_at = message.updated_at = now
            changes.add(message, previous=message.status)
        keys = [message.pk for message in messages]
        Message.objects.filter(pk__in=keys).update(read_at=now, updated_at=now)
        Conversation.objects.filter(pk=conversation.pk).update(unread_count=0)
    return len(messages)
