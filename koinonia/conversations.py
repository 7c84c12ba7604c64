"""Conversations: all messages between a church and one phone number."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, Subquery

from delivery.changes import message_changes
from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.models.church import Church
from koinonia.models.conversation import Conversation, InboxState, first_of
from koinonia.models.member import Member

_AT_ONCE = 1000
"""Phone numbers of one statement."""
_CREATE = """
    INSERT INTO koinonia_conversation (church_id, phone, unread_count, updated_at)
    SELECT %s, phone.value, 0, %s FROM {each} AS phone WHERE true
    ON CONFLICT (church_id, phone) DO NOTHING RETURNING phone, id
"""
_FOLLOW_BATCH = """
    UPDATE koinonia_conversation SET last_message_id = latest.message, updated_at = %s
    FROM (
        SELECT talk.id, message.id AS message
        FROM delivery_message message JOIN koinonia_conversation talk ON talk.id = message.thread
        WHERE message.batch = %s AND COALESCE(talk.last_message_id, 0) < message.id
        {locked}
    ) AS latest
    WHERE koinonia_conversation.id = latest.id
"""
"""Uses a join: a subquery for each conversation can read the whole batch each time (decision 60)."""


def conversation_with(church: Church, phone: str, *, now: datetime) -> Conversation:
    """Return the conversation with ``phone``; create it if it does not exist."""
    return Conversation.objects.get_or_create(
        church=church, phone=phone, defaults={"updated_at": now}
    )[0]


def conversation_keys(church: Church, phones: Collection[str], *, now: datetime) -> dict[str, int]:
    """Return the key of the conversation with each number; create missing conversations in bulk.

    Two transactions that create the same conversation end with the same row: the unique constraint
    decides the race.
    """
    # Broadcasts of one church take turns: each inserts its numbers in slices, and two of them could
    # wait for each other's numbers.
    Church.objects.select_for_update(no_key=True).filter(pk=church.pk).values("pk").first()
    keys: dict[str, int] = {}
    for some in _slices(sorted(set(phones))):
        keys |= _created(church, some, now)
    return keys | _known_threads(church, sorted(set(phones) - keys.keys()))


def member_at(church: Church, phone: str) -> Member | None:
    """Return the member with this number.

    Among several members, return the member that the last message named, else the oldest member.
    """
    members = Member.objects.filter(church=church, phone=phone)
    named = Conversation.objects.filter(church=church, phone=phone).values_list(
        "named_member", flat=True
    )
    key = first_of(members, named.first())
    return Member.objects.get(pk=key) if key else None


def remember_named(conversation: int, member: Member) -> None:
    """Store that the last message of this conversation addressed ``member`` by name."""
    rows = Conversation.objects.filter(pk=conversation)
    rows.exclude(named_member=member).update(named_member=member)


def update_for_new_messages(created: Collection[Message], *, now: datetime) -> None:
    """Update the last message and the unread count of the new messages' conversations.

    Call it in the transaction that creates the messages, before :func:`update_for_batch`.
    """
    singles = [message for message in created if message.thread and not message.batch]
    unread = Counter(
        message.thread for message in singles if message.direction == Direction.INBOUND
    )
    for thread, message in sorted(_latest_of_each(singles).items()):
        _update_one(thread, message, unread[thread], now)


def update_for_batch(batch: int, *, now: datetime) -> None:
    """Set the last message of the conversations of a new batch, in one statement."""
    # Locked in primary-key order, like everywhere, so that two transactions cannot deadlock.
    locked = "ORDER BY talk.id FOR NO KEY UPDATE OF talk"
    statement = _FOLLOW_BATCH.format(locked=locked if connection.vendor == "postgresql" else "")
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(now), batch])


def update_for_moved_message(message: Message, thread: int, *, now: datetime) -> None:
    """Update both conversations for a message that is about to move to ``thread``.

    Call it while ``message`` still has the old thread, in the database too.
    """
    others = Message.objects.filter(thread=message.thread).exclude(pk=message.pk)
    left = Conversation.objects.filter(pk=message.thread or 0, last_message=message.pk)
    left.update(last_message=others.order_by("-pk").values_list("pk", flat=True).first())
    _update_one(thread, message, 0, now)


def link_to_members(church_id: int, phones: Sequence[str]) -> None:
    """Link the messages of these numbers that have no recipient to the members with these numbers.

    Call it when a member is created or gets another number. A message keeps its member when the
    number passes to another member, and the messages of a deleted member are never linked again.
    """
    holder = Conversation.objects.filter(pk=OuterRef("thread")).values("member__pk")[:1]
    for some in _slices(phones):
        conversations = Conversation.objects.filter(
            church=church_id, phone__in=some, member__isnull=False
        )
        unlinked = Message.objects.filter(
            thread__in=conversations.values("pk"), recipient=None, recipient_gone=False
        )
        if not unlinked.exists():
            continue
        with transaction.atomic():
            # Locked in primary-key order, like everywhere, so that two requests cannot deadlock.
            locked = list(unlinked.locked().values_list("pk", flat=True))
            Message.objects.filter(pk__in=locked).update(recipient=Subquery(holder))


def mark_read(conversation: Conversation, *, now: datetime, until: int | None = None) -> int:
    """Mark the inbound messages of the conversation as read; return how many were unread.

    ``until`` is the last message that a person has seen: later ones stay unread. Each change goes from ``received`` to ``received`` and sets ``read_at``.
    """
    with message_changes(now) as changes:
        # Lock the conversation first, to prevent a lost update: a message that arrives now raises
        # the unread count, and this request must not reset the count for an unseen message. Only
        # this function locks inbound messages, so the reversed lock order cannot deadlock.
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        unread = Message.objects.filter(
            thread=conversation.pk, status=Status.RECEIVED, read_at__isnull=True
        )
        seen = unread if until is None else unread.filter(pk__lte=until)
        messages = list(seen.locked())
        for message in messages:
            message.read_at = message.updated_at = now
            changes.add(message, previous=message.status)
        keys = [message.pk for message in messages]
        Message.objects.filter(pk__in=keys).update(read_at=now, updated_at=now)
        left = 0 if until is None else unread.filter(pk__gt=until).count()
        Conversation.objects.filter(pk=conversation.pk).update(unread_count=left)
    return len(messages)


def _created(church: Church, phones: Sequence[str], now: datetime) -> dict[str, int]:
    """Create the conversations that do not exist; return their keys by number."""
    each = "json_array_elements_text(%s)" if connection.vendor == "postgresql" else "json_each(%s)"
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_CREATE.format(each=each), [church.pk, at, json.dumps(phones)])
        return dict(cursor.fetchall())


def _known_threads(church: Church, phones: Sequence[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for some in _slices(phones):
        rows = Conversation.objects.filter(church=church, phone__in=some)
        known |= dict(rows.values_list("phone", "pk"))
    return known


def _latest_of_each(messages: Collection[Message]) -> dict[int, Message]:
    ordered = sorted(messages, key=lambda message: message.pk)
    return {message.thread: message for message in ordered if message.thread}


def _update_one(thread: int, message: Message, unread: int, now: datetime) -> None:
    row = Conversation.objects.filter(pk=thread)
    is_older = Q(last_message=None) | Q(last_message__lt=message.pk)
    row.filter(is_older).update(last_message=message, updated_at=now)
    if unread:
        # The person has written: the conversation is open, even if it was done.
        row.update(unread_count=F("unread_count") + unread, state=InboxState.OPEN, inbox_at=now)


def _slices(phones: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(phones), _AT_ONCE):
        yield phones[start : start + _AT_ONCE]
