"""Conversations follow their messages: the last one, and how many are unread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from django.db.models import F, OuterRef, Q, Subquery

from delivery.models import Direction, Message
from koinonia.models import Conversation


def follow(created: Collection[Message], *, now: datetime) -> None:
    """Bring the conversations of new messages up to date, in the same transaction.

    A broadcast's are all of one batch and get theirs in one statement.
    """
    for batch in sorted({message.batch for message in created if message.batch}):
        _follow_batch(batch, now)
    singles = [message for message in created if message.thread and not message.batch]
    unread = Counter(
        message.thread for message in singles if message.direction == Direction.INBOUND
    )
    for thread, message in sorted(_latest_of_each(singles).items()):
        _follow_one(thread, message, unread[thread], now)


def move(message: Message, thread: int, *, now: datetime) -> None:
    """Let two conversations follow a message that is about to leave one for the other.

    ``message`` still has its old thread, in the database too.
    """
    others = Message.objects.filter(thread=message.thread).exclude(pk=message.pk)
    left = Conversation.objects.filter(pk=message.thread or 0, last_message=message.pk)
    left.update(last_message=others.order_by("-pk").values_list("pk", flat=True).first())
    _follow_one(thread, message, 0, now)


def _latest_of_each(messages: Collection[Message]) -> dict[int, Message]:
    ordered = sorted(messages, key=lambda message: message.pk)
    return {message.thread: message for message in ordered if message.thread}


def _follow_one(thread: int, message: Message, unread: int, now: datetime) -> None:
    row = Conversation.objects.filter(pk=thread)
    is_older = Q(last_message=None) | Q(last_message__lt=message.pk)
    row.filter(is_older).update(last_message=message, updated_at=now)
    if unread:
        row.update(unread_count=F("unread_count") + unread)


def _follow_batch(batch: int, now: datetime) -> None:
    of_batch = Message.objects.filter(batch=batch)
    Conversation.objects.filter(pk__in=of_batch.values("thread")).update(
        last_message_id=Subquery(of_batch.filter(thread=OuterRef("pk")).values("pk")[:1]),
        updated_at=now,
    )
