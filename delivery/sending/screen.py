"""The last look at claimed rows: is each still wanted?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from delivery import opt_outs
from delivery.changes import message_changes
from delivery.models import Message
from delivery.models.transitions import TRANSITION_FIELDS


def screen(rows: Sequence[Message], now: datetime) -> list[Message]:
    """Those of the claimed ``rows`` (of one tenant) to send; ends the opted-out and the too old."""
    if not rows:
        return []
    stopped = opt_outs.opted_out(rows[0].tenant_id, {row.to_number for row in rows})
    old = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    ending = [row for row in rows if row.to_number in stopped or row in old]
    if ending:
        _end(ending, stopped, now)
    return [row for row in rows if row not in ending]


def _end(ending: Sequence[Message], stopped: set[str], now: datetime) -> None:
    tokens = {row.pk: row.lease_token for row in ending}
    with message_changes(now) as changes:
        locked = Message.objects.filter(pk__in=tokens).locked()
        rows = [row for row in locked if row.lease_token == tokens[row.pk]]
        for row in rows:
            if row.to_number in stopped:
                row.suppress(None, now)
            else:
                row.expire(now)
            changes.add(row, previous=row.claimed_from)
        if rows:
            Message.objects.write(rows, TRANSITION_FIELDS)
