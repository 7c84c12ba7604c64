"""Rows whose worker is gone, and rows that became too old while nothing could be sent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import InterfaceError, OperationalError

from delivery.changes import message_changes
from delivery.models import Attempt, Message, Outcome
from delivery.models.queue import DUE_STATUSES, MessageQuerySet
from delivery.models.transitions import TRANSITION_FIELDS, Failure

logger = logging.getLogger("delivery")

MOST_CLAIMS = 5
"""So many claims without an outcome are a crash loop."""

_LEFT_ALONE = timedelta(minutes=1)
"""A row that cannot be given back is not tried again, and told of, with each round."""
_CRASH_LOOP = Failure("crash_loop", "The worker died each time it was to be sent", "crash")


def rescue(now: datetime, limit: int = 200) -> int:
    """Give back the rows whose lease is over; how many they were.

    Where the call had begun nobody knows what came of it: it is tried again under the same key.
    A row that cannot be given back does not stand in the way of the others.
    """
    ended = Message.objects.leases_ended(now)
    try:
        return _rescue(ended, limit, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a host's receiver may raise anything, and for one row of them
        logger.warning(
            "Leases that ended cannot be given back together; it is done one by one",
            extra={"action": "rescue_failed", "error": type(error).__name__},
        )
        ids = ended.order_by("lease_until").values_list("pk", flat=True)[:limit]
        return sum(_rescue_alone(pk, now) for pk in list(ids))


def _rescue_alone(pk: int, now: datetime) -> int:
    row = Message.objects.leases_ended(now).filter(pk=pk)
    try:
        return _rescue(row, 1, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # the same, found: the others are given back
        # Without its text: a database error quotes the row, a phone number with it.
        logger.error(
            "A text whose lease ended cannot be given back",
            extra={"action": "not_rescued", "message_id": pk, "error": type(error).__name__},
        )
        # Nobody's: an answer that its last worker still keeps is not to be tried with each of its others.
        row.update(lease_until=now + _LEFT_ALONE, lease_token=uuid4())
        return 0


def _rescue(ended: MessageQuerySet, limit: int, now: datetime) -> int:
    with message_changes(now) as changes:
        rows = list(ended.locked(skip_locked=True)[:limit])
        crashed = [row for row in rows if row.call_started_at is not None]
        attempts = [_lost_attempt(row, now) for row in crashed]
        for row in rows:
            if row.claims >= MOST_CLAIMS:
                previous = row.claimed_from
                row.give_up(_CRASH_LOOP, now)
                changes.add(row, previous=previous)
                logger.error("Crash loop", extra={"action": "crash_loop", "message_id": row.pk})
            else:
                row.put_back()
        if rows:
            Message.objects.write(rows, TRANSITION_FIELDS)
        Attempt.objects.bulk_create(attempts)
    return len(rows)


def expire(now: datetime, limit: int = 500) -> int:
    """End what is due but too old: the claim does it too, but a closed gate lets nobody claim."""
    overdue = Message.objects.filter(
        status__in=DUE_STATUSES, next_attempt_at__lte=now, expires_at__lte=now
    )
    if not overdue.exists():
        return 0
    with message_changes(now) as changes:
        rows = list(overdue.locked(skip_locked=True)[:limit])
        for row in rows:
            previous = row.status
            row.expire(now)
            changes.add(row, previous=previous)
        if rows:
            Message.objects.write(rows, TRANSITION_FIELDS)
    return len(rows)


def _lost_attempt(row: Message, now: datetime) -> Attempt:
    started_at = row.call_started_at or now
    row.ambiguous = True
    row.calls += 1
    return Attempt(
        message=row,
        number=row.calls,
        generation=row.generation,
        started_at=started_at,
        duration_ms=max(0, round((now - started_at).total_seconds() * 1000)),
        outcome=Outcome.AMBIGUOUS,
        code="worker_lost",
        detail="The worker was lost during the call",
    )
