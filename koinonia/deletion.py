"""What the deletion of old texts means for churches, conversations and broadcasts (``DELIVERY["DELETION"]``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from delivery import batches
from delivery.models import Direction, Message
from delivery.retention import Archives, Pace
from delivery.retention.old_rows import archive_and_delete
from koinonia.models import Broadcast, Church, Conversation


def days_kept() -> dict[int, int]:
    """Return the days for which each church keeps its texts; a church without an entry keeps them."""
    default: int | None = settings.KEEP_TEXTS_DAYS
    churches = Church.objects.order_by("pk").values_list("pk", "keep_texts_days")
    days = {church: default if own is None else own for church, own in churches}
    return {church: kept for church, kept in days.items() if kept is not None}


def lock_threads(threads: Collection[int]) -> set[int]:
    """Lock conversations without waiting; return those that are locked.

    ``mark_read`` locks a conversation before its texts: to wait for it here could deadlock.
    """
    free = Conversation.objects.filter(pk__in=threads).order_by("pk")
    locked = set(free.select_for_update(skip_locked=True).values_list("pk", flat=True))
    known = set(Conversation.objects.filter(pk__in=threads).values_list("pk", flat=True))
    # A text may name a conversation that is gone.
    return locked | (set(threads) - known)


def deleted(messages: Sequence[Message]) -> None:
    """Correct the unread counts and the last texts of the conversations of deleted texts."""
    unread = Counter(
        message.thread
        for message in messages
        if message.direction == Direction.INBOUND and message.read_at is None
    )
    for thread, number in sorted(unread.items(), key=lambda item: item[0] or 0):
        Conversation.objects.filter(pk=thread or 0).update(
            unread_count=Greatest(F("unread_count") - number, 0)
        )
    last = Conversation.objects.filter(
        pk__in={message.thread for message in messages if message.thread},
        last_message__in=[message.pk for message in messages],
    )
    newest = Message.objects.filter(thread=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    last.update(last_message=Subquery(newest))


def delete_broadcasts(now: datetime, archives: Archives, pace: Pace) -> int:
    """Delete the old broadcasts whose texts are all deleted. Return their number."""
    number = 0
    for church, days in days_kept().items():
        while keys := _without_texts(church, now - timedelta(days=days)):
            some = Broadcast.objects.filter(pk__in=keys)
            gone = archive_and_delete(some, archives, pace)
            batches.forget(set(keys) - set(some.values_list("pk", flat=True)))
            number += gone
            if gone < len(keys):
                break  # Somebody holds one of them: the next night deletes it.
    return number


def count_broadcasts(now: datetime) -> int:
    """Return how many broadcasts :func:`delete_broadcasts` would delete if it ran first."""
    return sum(
        _old(church, now - timedelta(days=days)).count() for church, days in days_kept().items()
    )


def _without_texts(church: int, before: datetime) -> list[int]:
    return list(_old(church, before).order_by("-pk").values_list("pk", flat=True)[:500])


def _old(church: int, before: datetime) -> QuerySet[Broadcast]:
    old = Broadcast.objects.filter(church=church, created_at__lt=before, due_at__isnull=True)
    return old.filter(~Exists(Message.objects.filter(batch=OuterRef("pk"))))
