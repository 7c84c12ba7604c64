"""Claims of due messages, by lease and fencing token."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from delivery import conf
from delivery.models import Message, OptOut, TenantStop
from delivery.models.columns import Columns
from delivery.models.queue import DUE_STATUSES
from delivery.queue.turns import Turn
from delivery.statuses import Status

# The common table expression is a fence: without it PostgreSQL may run the LIMIT more than once.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM {table}
    WHERE status IN ({due}) AND priority = %s AND provider = %s AND tenant_id = %s
    AND next_attempt_at <= %s
    AND NOT EXISTS (
        SELECT 1 FROM {stops} AS stop
        WHERE stop.tenant_id = %s AND stop.ended_at IS NULL AND (stop.until IS NULL OR stop.until > %s)
    )
    ORDER BY {order} LIMIT %s {skip_locked}
)
UPDATE {table} SET
    claimed_from = status, status = 'sending', claims = claims + 1,
    lease_token = %s, lease_until = %s, call_started_at = NULL
WHERE id IN (SELECT id FROM due)
RETURNING {columns}, EXISTS (
    SELECT 1 FROM {opt_outs} AS opt_out
    WHERE opt_out.tenant_id = {table}.tenant_id AND opt_out.number = {table}.to_number
)
"""
_COLUMNS = Columns(Message, (
    "id", "tenant", "recipient", "direction", "status", "to_number", "from_number", "text",
    "recipient_gone", "media_urls", "encoding", "parts", "priority", "batch", "thread", "author",
    "created_at", "scheduled_at", "expires_at", "updated_at", "next_attempt_at", "lease_until",
    "lease_token", "call_started_at", "claimed_from", "attempts", "calls", "ambiguous", "claims",
    "generation", "counted_generation", "callback_origin", "trace", "provider", "provider_id", "error_code",
    "error_title", "error_class", "dead_since",
))  # fmt: skip
"""What sending, the transitions and the events about them read."""

_START = """
UPDATE {table} SET call_started_at = %s, counted_generation = generation
WHERE status = 'sending' AND lease_token = %s AND id IN ({ids})
"""


class Claimed(list[Message]):
    """The claimed messages of one turn, oldest first."""

    opted_out: frozenset[str] = frozenset()
    """The numbers among theirs that the tenant must not text."""


def claim(turn: Turn, limit: int, now: datetime, *, probe: bool = False) -> Claimed:
    """Take up to ``limit`` due messages of one turn, oldest first, in one statement; of a stopped tenant none.

    The messages of a claim share a lease and a token, so that a second worker cannot claim them. A
    probe takes the least tried message: a message that fails by its own fault says nothing about the
    provider.
    """
    sql = _CLAIM.format(
        table=Message._meta.db_table,
        opt_outs=OptOut._meta.db_table,
        stops=TenantStop._meta.db_table,
        due=", ".join(f"'{status}'" for status in DUE_STATUSES),
        order="calls, next_attempt_at, id" if probe else "next_attempt_at, id",
        skip_locked="FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else "",
        columns=_COLUMNS.sql(),
    )
    adapt = connection.ops.adapt_datetimefield_value
    tenant = Message._meta.get_field("tenant").get_db_prep_value(turn.tenant_id, connection)
    parameters = [
        turn.priority, turn.provider, tenant, adapt(now), tenant, adapt(now), limit, _stored(uuid.uuid4()), adapt(_lease_end(now)),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchall()
    rows = _COLUMNS.instances(found, using=connection.alias)
    claimed = Claimed(sorted(rows, key=lambda row: (row.next_attempt_at, row.pk)))
    claimed.opted_out = frozenset(
        row.to_number for row, values in zip(rows, found, strict=True) if values[-1]
    )
    return claimed


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


def start_calls(messages: Sequence[Message], now: datetime) -> list[Message]:
    """Note that the calls are about to begin: from here on a crash leaves their outcome ambiguous.

    The rows also note that their generation is counted against the daily cap. Return the messages that
    are still held: the others belong to another worker by now.
    """
    moment = connection.ops.adapt_datetimefield_value(now)
    lost: set[tuple[UUID | None, int]] = set()
    for token, ids in _by_token(messages).items():
        sql = _START.format(table=Message._meta.db_table, ids=", ".join(["%s"] * len(ids)))
        with connection.cursor() as cursor:
            cursor.execute(sql, [moment, _stored(token), *ids])
            changed = cursor.rowcount
        if changed < len(ids):
            lost |= _lost(token, ids)
    started = [row for row in messages if (row.lease_token, row.pk) not in lost]
    for row in started:
        row.counted_generation = row.generation
    return started


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
            lost |= _lost(token, ids)
    for row in short:
        row.lease_until = until
    return [row for row in short if (row.lease_token, row.pk) in lost]


def _stored(value: UUID) -> UUID | str:
    """Return ``value`` as the database stores it."""
    return value if connection.features.has_native_uuid_field else value.hex


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=conf.lease_seconds())


def _lost(token: UUID, ids: Sequence[int]) -> set[tuple[UUID | None, int]]:
    mine = Message.objects.held_by(token).filter(pk__in=ids)
    held = set(mine.values_list("pk", flat=True))
    return {(token, pk) for pk in ids if pk not in held}


def _by_token(messages: Sequence[Message]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    for message in messages:
        if message.lease_token is not None:
            found.setdefault(message.lease_token, []).append(message.pk)
    return found
