"""The last look at claimed rows: is each still wanted?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F

from delivery import opt_outs
from delivery.changes import message_changes
from delivery.limits import destinations, spend
from delivery.models import Attempt, Message, Outcome
from delivery.models.transitions import ANSWER_LOST, TRANSITION_FIELDS
from delivery.sending.redraft import redraft

# Telnyx answers a key again for up to 24 h ("Idempotency", developers.telnyx.com/docs/development/
# api-fundamentals/idempotency), then it takes the text anew. An hour less: clocks differ, and what
# passes here may still wait for a thread.
_KEY_IS_KNOWN = timedelta(hours=23)


def screen(rows: Sequence[Message], now: datetime) -> list[Message]:
    """Return those of the claimed ``rows`` (of one tenant) to send, addressed as is right now.

    Ends the opted-out, the too old, those whose recipient is gone, those to numbers that are not
    texted, and those that Telnyx may have taken so long ago that it would take them twice.
    """
    rows = redraft(rows, now)
    if not rows:
        return []
    stopped = opt_outs.opted_out(rows[0].tenant_id, {row.to_number for row in rows})
    old = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    refused = _refused(rows)
    forgotten = _forgotten([row.pk for row in rows if row.ambiguous], now)
    ending = [
        row
        for row in rows
        if row.to_number in stopped or row in old or row.pk in forgotten or row.to_number in refused
    ]
    if ending:
        _end(ending, stopped, forgotten, refused, now)
    return spend.within_cap([row for row in rows if row not in ending], now)


def _refused(rows: Sequence[Message]) -> dict[str, str]:
    """Numbers that are not texted, and why: the countries or the number may have changed since."""
    allowed = destinations.countries_of_key(rows[0].tenant_id)
    reasons = {row.to_number: destinations.refusal(row.to_number, allowed) for row in rows}
    return {number: reason for number, reason in reasons.items() if reason}


def _forgotten(doubtful: Sequence[int], now: datetime) -> set[int]:
    """Those whose doubt is older than what Telnyx remembers of their key."""
    if not doubtful:
        return set()
    lost = Attempt.objects.filter(
        message__in=doubtful,
        generation=F("message__generation"),
        outcome=Outcome.AMBIGUOUS,
        started_at__lte=now - _KEY_IS_KNOWN,
    )
    return set(lost.values_list("message_id", flat=True))


def _end(
    ending: Sequence[Message],
    stopped: set[str],
    forgotten: set[int],
    refused: Mapping[str, str],
    now: datetime,
) -> None:
    tokens = {row.pk: row.lease_token for row in ending}
    with message_changes(now) as changes:
        locked = Message.objects.filter(pk__in=tokens).locked()
        rows = [row for row in locked if row.lease_token == tokens[row.pk]]
        for row in rows:
            if row.to_number in stopped:
                row.suppress(None, now)
            elif row.pk in forgotten:
                row.give_up(ANSWER_LOST, now)
            elif row.to_number in refused:
                row.give_up(destinations.failure(refused[row.to_number]), now)
            else:
                row.expire(now)
            changes.add(row, previous=row.claimed_from)
        if rows:
            Message.objects.write(rows, TRANSITION_FIELDS)
