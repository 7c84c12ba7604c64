"""Events that follow from changed messages, for the streams of churches and of authors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from delivery.changes import Change, NewBatch
from delivery.statuses import Status
from koinonia import events
from koinonia.models import Broadcast, Conversation, Staff
from realtime.log import NewEvent

News = defaultdict[str, list[NewEvent]]
"""The key of a stream -> its new events."""


def for_church(change: Change) -> list[NewEvent]:
    """Return the events for the stream of the church."""
    message = change.message
    if change.created:
        # A broadcast makes one event for all its texts.
        return [] if message.batch else [events.message_created(message)]
    if message.status == change.previous == Status.RECEIVED:
        # Only read_at changed: one event per conversation.
        return []
    return [events.message_status(change)]


def confirm(confirmed: Sequence[tuple[Change, str]], news: News) -> None:
    """Tell authors the outcome of their texts, while they are staff of the church."""
    if not confirmed:
        return
    authors = {change.message.author_id for change, _ in confirmed}
    staff = set(
        Staff.objects.filter(
            user__in=authors, church__in={change.message.tenant_id for change, _ in confirmed}
        ).values_list("user_id", "church_id")
    )
    for change, slug in confirmed:
        message = change.message
        if (message.author_id, message.tenant_id) in staff:
            news[f"user:{message.author_id}"].append(events.message_confirmed(change, slug))


def announce_reading(
    changes: Sequence[Change], slugs: dict[int, str], news: News, now: datetime
) -> None:
    """Tell the church which conversations were read."""
    read = {
        (change.message.thread, change.message.tenant_id)
        for change in changes
        if change.message.thread and change.message.status == change.previous == Status.RECEIVED
    }
    threads = {thread for thread, _ in read}
    unread = dict(Conversation.objects.filter(pk__in=threads).values_list("pk", "unread_count"))
    for thread, church in sorted(read):
        event = events.conversation_read(thread, unread.get(thread, 0), now)
        news[f"church:{slugs[church]}"].append(event)


def announce_broadcasts(batches: Sequence[NewBatch], slugs: dict[int, str], news: News) -> None:
    """Tell the church of each new broadcast, once for all its texts."""
    counts = {new.batch: dict(new.counts) for new in batches}
    # A scheduled broadcast was announced when it was created.
    created = Broadcast.objects.filter(pk__in=counts, scheduled_at=None).select_related("author")
    for broadcast in created.order_by("pk"):
        broadcast.remember(counts[broadcast.pk])
        news[f"church:{slugs[broadcast.church_id]}"].append(events.broadcast_created(broadcast))
