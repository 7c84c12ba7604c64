"""The last check of claimed messages before the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from delivery import opt_outs
from delivery.changes import message_changes
from delivery.limits import destinations
from delivery.models import Attempt, Message, Outcome
from delivery.models.transitions import ANSWER_LOST, TRANSITION_FIELDS
from delivery.providers import registry
from delivery.senders import senders_of, tenant_by_key
from delivery.sending.quiet import without_quiet
from delivery.sending.redraft import redraft

_KEY_MARGIN = timedelta(hours=1)
"""A repeat ends this long before the provider forgets its key: clocks differ, and a claimed message
may still wait for a thread."""


def screen(
    claimed: Sequence[Message],
    now: datetime,
    opted_out: Set[str] | None = None,
    *,
    at_any_hour: bool = False,
) -> list[Message]:
    """Return the claimed messages (of one turn) to send, with their present recipients.

    Messages in the quiet hours of their recipients wait, unless ``at_any_hour``.

    End the messages of opted-out, deleted or refused recipients, the messages that are too old, and
    the ambiguous ones that the provider would take as new texts (double send). ``opted_out``: the
    numbers of ``claimed`` that have opted out, if the claim has found them.
    """
    if not claimed:
        return []
    tenant = tenant_by_key(claimed[0].tenant_id)
    known = {row.to_number for row in claimed} if opted_out is not None else set()
    rows = redraft(claimed, senders_of(tenant), now)
    unknown = {row.to_number for row in rows} - known
    stopped = {*(opted_out or ()), *opt_outs.opted_out(tenant.pk, unknown)}
    refused = _refused(rows, tenant)
    forgotten = _forgotten([row for row in rows if row.ambiguous], now)
    going: list[Message] = []
    ending: list[Message] = []
    for row in rows:
        ends = (
            row.to_number in stopped
            or row.to_number in refused
            or row.pk in forgotten
            or (row.expires_at is not None and row.expires_at <= now)
        )
        (ending if ends else going).append(row)
    if ending:
        _end(ending, stopped, forgotten, refused, now)
    return going if at_any_hour else without_quiet(going, tenant, now)


def _refused(rows: Sequence[Message], tenant: Any) -> dict[str, str]:
    """Return the refused numbers and the reasons; countries may have changed since the acceptance."""
    allowed = destinations.countries_of(tenant)
    reasons = {row.to_number: destinations.refusal(row.to_number, allowed) for row in rows}
    return {number: reason for number, reason in reasons.items() if reason}


def _forgotten(ambiguous: Sequence[Message], now: datetime) -> set[int]:
    """Return the messages with an ambiguous call that is older than the provider's memory of the key."""
    if not ambiguous:
        return set()
    memory = registry.get(ambiguous[0].provider).capabilities.key_memory
    ids = [row.pk for row in ambiguous]
    if memory is None:
        return set(ids)
    lost = Attempt.objects.filter(
        message__in=ids,
        generation=F("message__generation"),
        outcome=Outcome.AMBIGUOUS,
        started_at__lte=now - (memory - _KEY_MARGIN),
    )
    return set(lost.values_list("message_id", flat=True))


def _end(
    ending: Sequence[Message],
    stopped: Set[str],
    forgotten: Set[int],
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
