"""Claimed messages that must wait for another time go back to the queue, with a reason that users see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from delivery.changes import Changes
from delivery.drafts import DEFAULT_LIFE
from delivery.models import Message
from delivery.models.transitions import TRANSITION_FIELDS, Failure

CLASS = "waiting"
"""The class of all reasons to wait."""


def hold(
    held: Sequence[Message],
    reason: Failure,
    until: Mapping[int, datetime],
    changes: Changes,
    now: datetime,
) -> None:
    """Give the claimed rows back, each due again at ``until`` (by key). Call it in a transaction.

    A wait must not use up the default lifetime of a message: :func:`revive` sets a new one.
    """
    tokens = {row.pk: row.lease_token for row in held}
    locked = Message.objects.filter(pk__in=tokens).locked()
    rows = [row for row in locked if row.lease_token == tokens[row.pk]]
    for row in rows:
        is_new = row.error_code != reason.code
        row.wait(reason, until[row.pk], now)
        if row.expires_at == (row.scheduled_at or row.created_at) + DEFAULT_LIFE:
            row.expires_at = None
        # A batch tells its counts, and those change with the status alone.
        if row.status != row.claimed_from or (is_new and row.batch is None):
            changes.add(row, previous=row.claimed_from)
    if rows:
        Message.objects.write(rows, (*TRANSITION_FIELDS, "expires_at"))


def revive(rows: Sequence[Message], now: datetime) -> None:
    """Set a new expiry on the rows that have waited without one."""
    waited = [row for row in rows if row.error_class == CLASS and row.expires_at is None]
    for row in waited:
        row.expires_at = now + DEFAULT_LIFE
    if waited:
        keys = [row.pk for row in waited]
        Message.objects.filter(pk__in=keys).update(expires_at=now + DEFAULT_LIFE)
