"""Decisions of the staff about a conversation. Each function appends an event in its transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from delivery import opt_outs
from delivery.models import Message, OptOut
from delivery.opt_outs import stop_requests
from koinonia import audit, events
from koinonia.ids import encode
from koinonia.models import Church, Conversation, InboxState, Staff
from realtime import log

UNCHANGED: Final = object()


class UnreadTextsError(Exception):
    """The conversation has an unread text, so it cannot be done."""


def change(
    church: Church,
    conversation: Conversation,
    *,
    by: User,
    assigned_to: Staff | object | None = UNCHANGED,
    done: bool | None = None,
    now: datetime,
) -> None:
    """Assign the conversation, mark it as done or open it again. Raise UnreadTextsError.

    A text that arrives at the same moment wins: the conversation is then not done.
    """
    rows = Conversation.objects.filter(pk=conversation.pk)
    values: dict[str, Any] = {"inbox_at": Coalesce("inbox_at", Value(now))}
    if assigned_to is not UNCHANGED:
        values["assigned_to"] = assigned_to
    if done is not None:
        values["state"] = InboxState.DONE if done else InboxState.OPEN
    if done:
        rows = rows.filter(unread_count=0)
    with transaction.atomic():
        if not rows.update(**values) and done:
            raise UnreadTextsError
        if assigned_to is not UNCHANGED:
            to = {"to": encode(assigned_to.pk) if isinstance(assigned_to, Staff) else None}
            audit.record(church, by, "conversation.assigned", conversation, to, now=now)
        if done is not None:
            act = "conversation.done" if done else "conversation.opened"
            audit.record(church, by, act, conversation, now=now)
        announce(church, conversation.phone, now=now)


def opt_out(church: Church, conversation: Conversation, *, by: User, now: datetime) -> None:
    """Record an opt-out of the number. Only a START from the number ends it."""
    with transaction.atomic():
        opt_outs.opt_out(church.pk, conversation.phone, OptOut.Source.STAFF, now=now, by=by)
        audit.record(church, by, "opt_out.added", conversation, now=now)
        announce(church, conversation.phone, now=now)


def keep_texting(church: Church, message: Message, *, by: User, now: datetime) -> bool:
    """Take the mark "asks to stop" from a received text; return whether it had the mark."""
    with transaction.atomic():
        number = stop_requests.dismiss(church.pk, message.pk, now=now)
        if number is not None:
            audit.record(church, by, "opt_out.unheard", message, now=now)
            announce(church, number, now=now)
    return number is not None


def announce(church: Church, number: str, *, now: datetime) -> None:
    """Append ``conversation.updated`` for the conversation with ``number``, if there is one.

    Call it in the transaction of the change.
    """
    rows = Conversation.objects.filter(church=church, phone=number)
    conversation = rows.select_related("assigned_to__user").first()
    if conversation is not None:
        stopped = bool(opt_outs.opted_out(church.pk, [number]))
        event = events.conversation_updated(conversation, opted_out=stopped)
        log.append({f"church:{church.slug}": [event]}, now=now)
