"""Bring claimed messages up to date: the sender, the recipient, the words."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from delivery import conf
from delivery.changes import Changes, message_changes
from delivery.content.encoding import MAX_PARTS, measure_message
from delivery.content.visible_text import clean, is_blank
from delivery.drafts import Draft
from delivery.isolation import all_or_each, or_skip
from delivery.models import Message
from delivery.models.transitions import TRANSITION_FIELDS, Failure
from delivery.queue import claim
from delivery.recipients import GONE
from delivery.senders import Sender
from delivery.statuses import Status

logger = logging.getLogger("delivery")

_CONTENT_FIELDS = (
    "to_number", "provider", "from_number", "recipient", "thread", "text", "encoding", "parts",
)  # fmt: skip
_CONTENT_COLUMNS = tuple(
    "recipient_id" if name == "recipient" else name for name in _CONTENT_FIELDS
)
_ENDED_FIELDS = tuple(dict.fromkeys((*_CONTENT_FIELDS, *TRANSITION_FIELDS)))
"""Without repeats: PostgreSQL refuses to set a column twice."""
_FAILED = Failure(
    "not_addressed", "Its recipient could not be determined when it was due", "permanent"
)
_TWICE = Failure("number_twice", "Another text of this broadcast goes to this number", "cancelled")
_EMPTY = Failure("text_empty", "The text is empty when it is due: the name is missing", "permanent")
_WITHOUT_NUMBER = timedelta(minutes=1)
"""The pause of a tenant's messages while the tenant has no number: it may get another one."""

Decisions = Mapping[int, Draft | Failure]


def redraft(claimed: Sequence[Message], senders: Sequence[Sender], now: datetime) -> list[Message]:
    """Update the claimed messages of one turn, and return the messages to send.

    Only an untried message is changed: a second call with the same idempotency key must have the
    bytes of the first. An untried message gets a present sender of the tenant, or waits until the
    tenant has one. A scheduled message gets the recipient and the words that the host names now. A
    message that moves to another provider account returns to the queue: that account has its own
    turns.
    """
    if not senders:
        claimed = _without_those_that_wait(claimed, now)
    stale = [row for row in claimed if _is_stale(row, senders)]
    if not stale:
        return list(claimed)
    moving = [row for row in stale if _moves(row, senders)]
    ended = all_or_each(
        lambda: _apply(stale, senders, now),
        lambda: {pk for row in stale for pk in _apply_one(row, senders, now)},
        message="Addressing due messages in one batch failed; addressing them one by one",
        action="redraft_failed",
    )
    moved = {row.pk for row in moving} - ended
    claim.put_back([row for row in claimed if row.pk in moved])
    return [row for row in claimed if row.pk not in ended | moved]


def _is_stale(row: Message, senders: Sequence[Sender]) -> bool:
    if row.recipient_gone:
        return True
    return _is_untried(row) and (
        not _has_sender(row, senders) or row.claimed_from == Status.SCHEDULED
    )


def _has_sender(row: Message, senders: Sequence[Sender]) -> bool:
    """Return whether the message may keep its sender; a tenant without senders changes nothing."""
    return not senders or Sender(row.provider, row.from_number) in senders


def _moves(row: Message, senders: Sequence[Sender]) -> bool:
    """Return whether an untried message changes to another provider account."""
    changes = _is_untried(row) and not _has_sender(row, senders)
    return changes and row.provider != senders[0].provider


def _is_untried(row: Message) -> bool:
    return row.calls == 0 and not row.ambiguous


def _without_those_that_wait(claimed: Sequence[Message], now: datetime) -> list[Message]:
    """Requeue the messages that need a number of the tenant, and return the remaining messages.

    A message with an attempt keeps its number. A message that is too old, or has lost its recipient,
    ends later.
    """
    waiting = [
        row
        for row in claimed
        if _is_untried(row)
        and not row.recipient_gone
        and (row.expires_at is None or row.expires_at > now)
    ]
    if waiting:
        claim.put_back(waiting, due_at=now + _WITHOUT_NUMBER)
        logger.error(
            "A tenant has no number to text from: its texts wait",
            extra={"action": "no_sending_number", "tenant": claimed[0].tenant_id},
        )
    given_back = {row.pk for row in waiting}
    return [row for row in claimed if row.pk not in given_back]


def _apply_one(row: Message, senders: Sequence[Sender], now: datetime) -> set[int]:
    def give_up() -> set[int]:
        with message_changes(now) as changes:
            held = _held([row])
            for one in held:
                one.give_up(_FAILED, now)
                changes.add(one, previous=one.claimed_from)
            Message.objects.write(held, TRANSITION_FIELDS)
        return {row.pk}

    return or_skip(
        lambda: _apply([row], senders, now),
        give_up,
        message="A due message cannot be addressed",
        action="not_addressed",
        message_id=row.pk,
    )


def _apply(stale: Sequence[Message], senders: Sequence[Sender], now: datetime) -> set[int]:
    """Write the decisions, and return the keys of the rows that must not be sent."""
    claimed = {row.pk: row for row in stale}
    with message_changes(now) as changes:
        held = _held(stale)
        scheduled = [
            row
            for row in held
            if row.claimed_from == Status.SCHEDULED and _is_untried(row) and not row.recipient_gone
        ]
        decisions: Decisions = {}
        if scheduled:
            # A separate transaction for the hook: its writes must not stay if it fails.
            with transaction.atomic():
                decisions = conf.schedule().redraft(scheduled[0].tenant_id, scheduled, now)
        kept, ended = _decide(held, decisions, senders, changes, now)
        Message.objects.write(kept, _CONTENT_FIELDS)
        Message.objects.write(ended, _ENDED_FIELDS)
    for row in kept:
        for name in _CONTENT_COLUMNS:
            setattr(claimed[row.pk], name, getattr(row, name))
    # Messages with an expired lease are left out too: another worker sends them.
    return claimed.keys() - {row.pk for row in kept}


def _held(rows: Sequence[Message]) -> list[Message]:
    tokens = {row.pk: row.lease_token for row in rows}
    locked = Message.objects.filter(pk__in=tokens).locked()
    return [row for row in locked if row.lease_token == tokens[row.pk]]


def _decide(
    held: Sequence[Message],
    decisions: Decisions,
    senders: Sequence[Sender],
    changes: Changes,
    now: datetime,
) -> tuple[list[Message], list[Message]]:
    kept: list[Message] = []
    ended: list[Message] = []
    for row in held:
        if _is_untried(row) and not _has_sender(row, senders):
            row.provider, row.from_number = senders[0]
        decision = GONE if row.recipient_gone else decisions.get(row.pk)
        if isinstance(decision, Draft):
            decision = _rewrite(row, decision)
        if decision is None:
            kept.append(row)
            continue
        if decision.error_class == GONE.error_class:
            row.withdraw(decision, now)
        else:
            row.give_up(decision, now)
        changes.add(row, previous=row.claimed_from)
        ended.append(row)
    return kept, ended


def _rewrite(row: Message, draft: Draft) -> Failure | None:
    """Copy the draft into the row. Return a failure if the result cannot be sent."""
    if row.batch is not None and draft.to != row.to_number and _is_in_batch(row, draft.to):
        return _TWICE
    row.to_number, row.thread, row.recipient_id = draft.to, draft.thread, draft.recipient_id
    row.text = clean(draft.text)
    if is_blank(row.text) and not row.media_urls:
        return _EMPTY
    measured = measure_message(row.text, media=bool(row.media_urls))
    row.encoding, row.parts = measured.encoding, measured.parts
    if measured.parts > MAX_PARTS:
        reason = (
            f"The text needs {measured.parts} parts when it is due; at most {MAX_PARTS} can be sent"
        )
        return Failure("text_too_long", reason, "permanent")
    return None


def _is_in_batch(row: Message, number: str) -> bool:
    others = Message.objects.filter(tenant=row.tenant_id, batch=row.batch, to_number=number)
    return others.exclude(pk=row.pk).exists()
