"""Requeue the messages of lost workers, and end messages that are too old to send."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from delivery.changes import message_changes
from delivery.isolation import all_or_each, or_skip
from delivery.models import Attempt, Message, Outcome, bulk_write
from delivery.models.queue import MessageQuerySet
from delivery.models.transitions import ANSWER_LOST, TRANSITION_FIELDS, Failure
from delivery.providers import registry

logger = logging.getLogger("delivery")

MOST_CLAIMS = 5
"""This many claims without an outcome are a crash loop."""

_SKIP_FOR = timedelta(minutes=1)
"""The pause after a failure with one message, so that it does not fill the log each second."""
_CRASH_LOOP = Failure("crash_loop", "The worker died each time it sent this", "crash")


def rescue(now: datetime, limit: int = 200) -> int:
    """Requeue the messages with an expired lease, and return their number.

    If an API call had begun, the message is ambiguous: it is tried again with the same key, or never
    if the provider remembers no keys.
    """
    ended = Message.objects.leases_ended(now)

    def each() -> int:
        ids = ended.order_by("lease_until").values_list("pk", flat=True)[:limit]
        return sum(_rescue_one(pk, now) for pk in list(ids))

    return all_or_each(
        lambda: _rescue(ended, limit, now),
        each,
        message="Ending expired leases in one batch failed; ending them one by one",
        action="rescue_failed",
    )


def _rescue_one(pk: int, now: datetime) -> int:
    row = Message.objects.leases_ended(now).filter(pk=pk)

    def skip() -> int:
        # New lease token: a late result from the previous worker must not match this row again.
        row.update(lease_until=now + _SKIP_FOR, lease_token=uuid4())
        return 0

    return or_skip(
        lambda: _rescue(row, 1, now),
        skip,
        message="The expired lease of a message cannot be ended",
        action="not_rescued",
        message_id=pk,
    )


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
                logger.error(
                    "A message ended several workers; it is not tried again",
                    extra={
                        "action": "crash_loop",
                        "tenant": row.tenant_id,
                        "message_id": row.pk,
                    },
                )
            elif row.ambiguous and not _may_repeat(row):
                row.give_up(ANSWER_LOST, now)
                changes.add(row, previous=row.claimed_from)
            else:
                row.put_back()
        if rows:
            Message.objects.write(rows, TRANSITION_FIELDS)
        bulk_write.insert(attempts, using=Attempt.objects.db)
    return len(rows)


def _may_repeat(row: Message) -> bool:
    try:
        return registry.get(row.provider).capabilities.key_memory is not None
    except registry.UnknownProviderError:
        return True  # No worker claims it while its provider is not configured.


def expire(now: datetime, limit: int = 500) -> int:
    """End due messages that are too old. The claim does the same, but does not run while sending is blocked."""
    overdue = Message.objects.due(now).filter(expires_at__lte=now)
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
