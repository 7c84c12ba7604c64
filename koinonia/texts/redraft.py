"""Recipient and text of scheduled messages, decided at their due time.

A message to a member uses the member's current number and name. An earlier release created the
messages of a broadcast when it was scheduled; this module decides about such messages too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from delivery.drafts import Draft
from delivery.models import Message
from delivery.models.transitions import Failure
from koinonia.broadcasts.audience import Audience
from koinonia.conversations import conversation_with, update_for_moved_message
from koinonia.models import Broadcast, Church, Member
from koinonia.texts.compose import Composer

_NOT_IN_AUDIENCE = Failure(
    "not_in_audience", "The member had left the audience by the due time", "cancelled"
)
_NUMBER_TWICE = Failure(
    "number_twice", "Another text of this broadcast goes to this number", "cancelled"
)


def redraft(
    tenant_id: int, messages: Sequence[Message], now: datetime
) -> dict[int, Draft | Failure]:
    """Return a draft or a failure for each due message of one church.

    See ``delivery.drafts.Schedule``.
    """
    church = Church.objects.get(pk=tenant_id)
    recipients = {message.recipient_id for message in messages if message.recipient_id}
    members = Member.objects.filter(church=church).in_bulk(recipients)
    broadcasts = Broadcast.objects.filter(church=church).in_bulk(
        {message.batch for message in messages if message.batch}
    )
    staying = {
        pk: _still_in_audience(broadcast, church, members) for pk, broadcast in broadcasts.items()
    }
    # Most messages of one claim have the same template.
    composers = dict[str, Composer]()
    decisions: dict[int, Draft | Failure] = {}
    for message in messages:
        broadcast = broadcasts.get(message.batch) if message.batch else None
        if message.batch and broadcast is None:
            continue
        if broadcast and message.recipient_id not in staying[broadcast.pk]:
            decisions[message.pk] = _NOT_IN_AUDIENCE
            continue
        template = broadcast.text if broadcast else message.template
        member = members.get(message.recipient_id) if message.recipient_id else None
        if broadcast and member and _has_text_in(broadcast, member.phone, message):
            decisions[message.pk] = _NUMBER_TWICE
            continue
        if template and template not in composers:
            composers[template] = Composer(template, church)
        text = composers[template].text_for(member) if template else message.text
        decisions[message.pk] = _draft(message, text, member, church, now)
    return decisions


def _still_in_audience(
    broadcast: Broadcast, church: Church, members: dict[int, Member]
) -> set[int]:
    audience = Audience.from_json(broadcast.audience)
    return set(audience.members(church).filter(pk__in=members).values_list("pk", flat=True))


def _has_text_in(broadcast: Broadcast, number: str, message: Message) -> bool:
    if number == message.to_number:
        return False
    return Message.objects.filter(
        tenant=message.tenant_id, batch=broadcast.pk, to_number=number
    ).exists()


def _draft(
    message: Message, text: str, member: Member | None, church: Church, now: datetime
) -> Draft:
    to = member.phone if member else message.to_number
    thread = message.thread
    if to != message.to_number:
        thread = conversation_with(church, to, now=now).pk
        update_for_moved_message(message, thread, now=now)
    return Draft(
        to=to,
        text=text,
        recipient_id=member.pk if member else None,
        thread=thread,
    )
