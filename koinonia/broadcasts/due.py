"""Creation of the messages of scheduled broadcasts at their due time.

Until then a broadcast is one row with ``due_at``. Members, numbers, names, opt-outs and the church's
number are read at the due time. One transaction clears ``due_at`` and inserts the messages: after a
crash the broadcast is still due, and only one of several workers gets the row.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, transaction

from delivery.accept import accept_batch
from delivery.changes import message_changes
from delivery.drafts import DEFAULT_LIFE
from delivery.statuses import Status
from koinonia.broadcasts import progress
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.renderings import Renderings
from koinonia.broadcasts.send import drafts
from koinonia.models import Broadcast
from koinonia.series.occurrences import plan_following

logger = logging.getLogger(__name__)

_RETRY_AFTER = timedelta(minutes=1)
"""Pause after a failure, so that a broken broadcast does not fail and log in every round."""


def next_due(until: datetime) -> datetime | None:
    """Return the earliest due time up to ``until``; None if no broadcast is due by then."""
    waiting = Broadcast.objects.filter(due_at__lte=until)
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()


def accept_due(now: datetime) -> bool:
    """Create the messages of one due broadcast; return False unless an unlocked broadcast is due.

    A broadcast that fails is retried a minute later and does not block other broadcasts.
    """
    if next_due(now) is None:
        return False
    taken: list[int] = []
    try:
        with message_changes(now):
            # The query repeats the condition under the lock, and skips a row that another worker has.
            due = Broadcast.objects.select_for_update(skip_locked=True, of=("self",))
            broadcast = (
                due.filter(due_at__lte=now)
                .select_related("church", "author")
                .order_by("due_at", "pk")
                .first()
            )
            if broadcast is None:
                return False
            taken.append(broadcast.pk)
            _accept(broadcast, now)
            plan_following(broadcast, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if not taken:
            raise
        # Log only the type: the text of a database error quotes the row with its phone number.
        logger.error(
            "A due broadcast cannot be accepted; retrying in a minute",
            extra={
                "action": "broadcast_not_accepted",
                "broadcast_id": taken[0],
                "error": type(error).__name__,
            },
        )
        Broadcast.objects.filter(pk__in=taken, due_at__lte=now).update(due_at=now + _RETRY_AFTER)
    return True


def hold_due(now: datetime) -> int:
    """End the due broadcasts as ``unknown`` after a restore: each may have been sent after the backup.

    Return their number. Each has its own transaction.
    """
    held = 0
    for key in list(Broadcast.objects.filter(due_at__lte=now).values_list("pk", flat=True)):
        with transaction.atomic():
            broadcast = Broadcast.objects.select_for_update().get(pk=key)
            _end(broadcast, now, ended_as=Status.UNKNOWN.value)
            plan_following(broadcast, now)
            held += 1
    return held


def _accept(broadcast: Broadcast, now: datetime) -> None:
    scheduled_at = broadcast.scheduled_at or now
    expires_at = broadcast.expires_at or scheduled_at + DEFAULT_LIFE
    if expires_at <= now:
        return _end(broadcast, now, ended_as=Status.EXPIRED.value)
    renderings = Renderings(broadcast.church, broadcast.text, media=bool(broadcast.media))
    audience = Audience.from_json(broadcast.audience)
    with audience.locked_people(broadcast.church) as people:
        accepted = accept_batch(
            broadcast.church, drafts(broadcast, renderings.each(people), now),
            batch=broadcast.pk, author=broadcast.author, scheduled_at=scheduled_at,
            expires_at=expires_at, now=now,
        )  # fmt: skip
    if not accepted.total:
        logger.info(
            "The audience of a due broadcast is empty; cancelling the broadcast",
            extra={"action": "broadcast_for_nobody", "broadcast_id": broadcast.pk},
        )
        return _end(
            broadcast, now, ended_as=Status.CANCELLED.value, cancelled_at=now,
            total=0, forecast_suppressed=0,
        )  # fmt: skip
    return _clear_due_at(broadcast, total=accepted.total)


def _end(broadcast: Broadcast, now: datetime, **values: object) -> None:
    _clear_due_at(broadcast, **values)
    transaction.on_commit(partial(progress.publish, [broadcast.pk], now))


def _clear_due_at(broadcast: Broadcast, **values: object) -> None:
    waiting = Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False)
    if not waiting.update(due_at=None, **values):
        raise RuntimeError("Another worker cleared due_at of this broadcast despite the lock.")
