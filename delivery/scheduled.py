"""Change messages that are due later: other words, or another time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from delivery.acceptable import CONTENT, check_content, check_times, content_of
from delivery.changes import message_changes
from delivery.drafts import DEFAULT_LIFE, Draft
from delivery.models import Message
from delivery.queue import hints
from delivery.statuses import Status


def change_scheduled(
    message: Message,
    draft: Draft,
    *,
    scheduled_at: datetime,
    edits: int | None = None,
    now: datetime,
) -> bool:
    """Replace the content and the due time of a message that no worker has taken.

    Return False if it is too late, or if its edits are not ``edits`` any more: then nothing has
    changed. Raise ``UnacceptableError``. An expiry that the sender chose stays, and the default one
    moves with the due time.
    """
    chosen = None if _expires_by_default(message) else message.expires_at
    times = check_times(scheduled_at, chosen, now)
    content = content_of(draft, *check_content(draft))
    values = dict(zip(CONTENT, content, strict=True))
    with message_changes(now) as changes:
        waiting = Message.objects.filter(pk=message.pk, status=Status.SCHEDULED, calls=0)
        if edits is not None:
            waiting = waiting.filter(edits=edits)
        changed = waiting.update(
            **values,
            scheduled_at=scheduled_at,
            expires_at=times.expires_at,
            next_attempt_at=max(scheduled_at, now),
            updated_at=now,
            edits=F("edits") + 1,
        )
        if changed:
            message.refresh_from_db()
            changes.add(message, previous=Status.SCHEDULED)
            transaction.on_commit(hints.push)
    return bool(changed)


def _expires_by_default(message: Message) -> bool:
    due = message.scheduled_at or message.created_at
    return message.expires_at is None or message.expires_at == due + DEFAULT_LIFE
