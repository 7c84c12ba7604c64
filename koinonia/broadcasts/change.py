"""Changing a scheduled broadcast: its words, its audience, its time."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import partial

from django.db import transaction
from django.db.models import F

from delivery.accept import UnacceptableError, check_times
from delivery.changes import message_changes
from delivery.queue import hints
from koinonia.broadcasts import progress
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import check_text, forecast
from koinonia.media.storage import keep_used
from koinonia.models import Broadcast


class Unchanged(Enum):
    """The mark for a time that a change does not name; None means: send now."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def change_broadcast(
    broadcast: Broadcast,
    *,
    text: str | None = None,
    audience: Audience | None = None,
    send_at: datetime | Unchanged | None = UNCHANGED,
    edits: int | None = None,
    now: datetime,
) -> bool:
    """Change a broadcast that still waits for its time, and count its forecast again.

    Return False if it is too late, or if its edits are not ``edits`` any more: then nothing has
    changed. Raise ``UnacceptableError``.
    """
    new_text = broadcast.text if text is None else check_text(text)
    new_audience = audience or Audience.from_json(broadcast.audience)
    due_at = broadcast.due_at if isinstance(send_at, Unchanged) else send_at or now
    check_expiry(broadcast.expires_at, due_at, now)
    values = {
        "text": new_text,
        "audience": new_audience.as_sent,
        "due_at": due_at,
        "scheduled_at": due_at,
        "edits": F("edits") + 1,
    }
    with message_changes(now):
        waiting = Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False)
        expected = waiting if edits is None else waiting.filter(edits=edits)
        if due_at is None or not expected.update(**values):
            return False
        keep_used(broadcast.church, broadcast.media, due=due_at)
        counted = forecast(broadcast.church, new_text, new_audience, media=bool(broadcast.media))
        waiting.update(total=counted.total, forecast_suppressed=counted.suppressed)
        broadcast.refresh_from_db()
        broadcast.left_out = counted.left_out
        transaction.on_commit(partial(progress.publish, [broadcast.pk], now))
        transaction.on_commit(hints.push)
    return True


def check_expiry(expires_at: datetime | None, due_at: datetime | None, now: datetime) -> None:
    """Raise ``UnacceptableError`` for a due time after the expiry, about the field of the time."""
    try:
        check_times(due_at, expires_at, now)
    except UnacceptableError as error:
        raise UnacceptableError("scheduled_at", error.message) from error
