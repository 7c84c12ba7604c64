"""Claims of due messages, by lease and fencing token."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from delivery import conf
from delivery.models import Message
from delivery.models.queue import DUE_STATUSES
from delivery.queue.turns import Turn
from delivery.statuses import Status

# The common table expression is a fence: without it PostgreSQL may run the LIMIT more than once.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM {table}
    WHERE status IN ({due}) AND priority = %s AND provider = %s AND tenant_id = %s
    AND next_attempt_at <= %s
    ORDER BY {order} LIMIT %s {skip_locked}
)
UPDATE {table} SET
    claimed_from = status, status = 'sending', claims = claims + 1,
    lease_token = %s, lease_until = %s, call_started_at = NULL
WHERE id IN (SELECT id FROM due)
RETURNING *
"""


def claim(turn: Turn, limit: int, now: datetime, *, probe: bool = False) -> list[Message]:
    """Take up to ``limit`` due messages of one turn, oldest first.

    The messages of a claim share a lease and a token, so that a second worker cannot claim them. A
    probe takes the least tried message: a message that fails by its own fault says nothing about the
    provider.
    """
    sql = _CLAIM.format(
        table=Message._meta.db_table,
        due=", ".join(f"'{status}'" for status in DUE_STATUSES),
        order="calls, next_attempt_at, id" if probe else "next_attempt_at, id",
        skip_locked="FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else "",
    )
    adapt = connection.ops.adapt_datetimefield_value
    token = uuid.uuid4()
    tenant = Message._meta.get_field("tenant")
    parameters = [
        turn.priority, turn.provider, tenant.get_db_prep_value(turn.tenant_id, connection),
        adapt(now), limit,
        token if connection.features.has_native_uuid_field else token.hex,
        adapt(_lease_end(now)),
    ]  # fmt: skip
    with transaction.atomic():
        rows = list(Message.objects.raw(sql, parameters))
    return sorted(rows, key=lambda row: (row.next_attempt_at, row.pk))


def claim_one(message_id: int, now: datetime) -> Message | None:
    """Take one waiting message, due or not; return None where another process was quicker."""
    with transaction.atomic():
        taken = Message.objects.filter(pk=message_id, status__in=DUE_STATUSES).update(
            claimed_from=F("status"),
            status=Status.SENDING,
            claims=F("claims") + 1,
            lease_token=uuid.uuid4(),
            lease_until=_lease_end(now),
            call_started_at=None,
        )
        return Message.objects.get(pk=message_id) if taken else None


def put_back(messages: Sequence[Message], *, due_at: datetime | None = None) -> None:
    """Give messages back untried; this claim does not count. ``due_at``: not before then."""
    postponed = {} if due_at is None else {"next_attempt_at": due_at}
    for token, ids in _by_token(messages).items():
        Message.objects.held_by(token).filter(pk__in=ids).update(
            status=F("claimed_from"),
            claims=F("claims") - 1,
            lease_token=None,
            lease_until=None,
            call_started_at=None,
            **postponed,
        )


def start_calls(messages: Sequence[Message], now: datetime) -> None:
    """Note that the calls are about to begin: from here on a crash leaves their outcome ambiguous."""
    for token, ids in _by_token(messages).items():
        Message.objects.held_by(token).filter(pk__in=ids).update(call_started_at=now)


def renew(messages: Sequence[Message], now: datetime) -> list[Message]:
    """Renew the leases of messages with slow calls, if less than half is left.

    Return the lost messages: other workers have claimed or ended them.
    """
    until = _lease_end(now)
    half = now + (until - now) / 2
    short = [row for row in messages if row.lease_until is not None and row.lease_until < half]
    lost: set[tuple[UUID | None, int]] = set()
    for token, ids in _by_token(short).items():
        mine = Message.objects.held_by(token).filter(pk__in=ids)
        if mine.update(lease_until=until) < len(ids):
            held = set(mine.values_list("pk", flat=True))
            lost |= {(token, pk) for pk in ids if pk not in held}
    for row in short:
        row.lease_until = until
    return [row for row in short if (row.lease_token, row.pk) in lost]


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=conf.lease_seconds())


def _by_token(messages: Sequence[Message]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    for message in messages:
        if message.lease_token is not None:
            found.setdefault(message.lease_token, []).append(message.pk)
    return found
