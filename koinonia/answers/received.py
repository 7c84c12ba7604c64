"""Act on new texts from people (``DELIVERY["ON_RECEIVED"]``): keywords and automatic answers.

All of it runs in the transaction that stores the texts, so that each text acts exactly once. A fault
in an answer must not lose the text of a person: each one has a savepoint.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from delivery.accept import UnacceptableError, accept_message
from delivery.drafts import Draft
from delivery.isolation import or_skip
from delivery.models import Direction, Message
from delivery.tracking.inbound import NewText
from koinonia.answers import keywords, membership, office_hours, sentences
from koinonia.answers.keywords import GroupRequest
from koinonia.answers.worth_answering import has_opted_out, is_a_person, is_worth_answering
from koinonia.conversations import member_at
from koinonia.models import Church, Conversation, Keyword, Member

logger = logging.getLogger(__name__)

ONCE_IN = timedelta(hours=12)
"""A number gets at most one answer that it did not ask for in this time."""
_MOST_LATER = 50


@dataclass(frozen=True, slots=True)
class _Plan:
    """A text, and what to do about it: a request, or an answer (None)."""

    text: NewText
    request: GroupRequest | None


def act_on(texts: Sequence[NewText], now: datetime) -> None:
    """Join and leave groups by keywords, and answer. Keywords are answered alone."""
    plans = _plans(texts, now)
    if not plans:
        return
    # Lock all conversations of the transaction in primary-key order, as their update does later:
    # two workers cannot deadlock, and two texts of one number act in turn.
    threads = {text.message.thread for text in texts if text.message.thread}
    list(
        Conversation.objects.filter(pk__in=threads).order_by("pk").select_for_update().values("pk")
    )
    for plan in plans:
        _isolated(plan, now)


def _plans(texts: Sequence[NewText], now: datetime) -> list[_Plan]:
    known: dict[int, Mapping[str, Keyword]] = {}
    plans = []
    for text in texts:
        church: Church = text.tenant
        if text.word or text.message.thread is None:
            continue
        if church.pk not in known:
            known[church.pk] = keywords.by_key(church)
        request = keywords.request_in(text.message.text, known[church.pk], church.opt_out_words)
        if request is not None:
            plans.append(_Plan(text, request))
        elif _answers(church) and is_worth_answering(text, now):
            plans.append(_Plan(text, None))
    return plans


def _answers(church: Church) -> bool:
    return church.answers_when_closed or church.answers_first_contact


def _isolated(plan: _Plan, now: datetime) -> None:
    def one() -> None:
        with transaction.atomic():
            _act(plan, now)

    or_skip(
        one,
        lambda: None,
        message="An automatic answer failed",
        action="answer_failed",
        message_row=plan.text.message.pk,
    )


def _act(plan: _Plan, now: datetime) -> None:
    if has_opted_out(plan.text):
        return
    if plan.request is not None:
        _fulfil(plan.text, plan.request, now)
        return
    words = _unasked(plan.text)
    if words and _claim(plan.text.message, now):
        church, message = plan.text.tenant, plan.text.message
        member = member_at(church, message.from_number)
        _send(plan.text, sentences.filled_in(words, member, church), member, now)


def _fulfil(text: NewText, request: GroupRequest, now: datetime) -> None:
    church, message, group = text.tenant, text.message, request.keyword.group
    if not is_a_person(message.from_number) or _has_later_request(text, request):
        return
    if request.leaves:
        changed = membership.leave(group, church, message.from_number)
        member = member_at(church, message.from_number)
    else:
        member, changed = membership.join(group, church, message.from_number)
        # The events of this transaction show the sender.
        message.recipient = message.recipient or member
    claimed = _claim(message, now, always=changed)
    if claimed:
        _send(text, sentences.to_request(request, member, church), member, now)


def _has_later_request(text: NewText, request: GroupRequest) -> bool:
    """Return whether a later text of the number, which arrived earlier, decided about this group."""
    later = Message.objects.filter(
        thread=text.message.thread,
        direction=Direction.INBOUND,
        provider_status_at__gt=text.at,
    ).exclude(pk=text.message.pk)
    words = later.order_by("-pk").values_list("text", flat=True)[:_MOST_LATER]
    known = keywords.by_key(text.tenant)
    others = (keywords.request_in(one, known, text.tenant.opt_out_words) for one in words)
    return any(one and one.keyword.group_id == request.keyword.group_id for one in others)


def _unasked(text: NewText) -> str:
    """Return the template of the answer, or "" for no answer. Two reasons make one text."""
    church: Church = text.tenant
    found = []
    if church.answers_first_contact and _is_first(text.message):
        found.append(sentences.first_contact(church))
    if church.answers_when_closed and not office_hours.is_open(church, text.at):
        found.append(sentences.closed(church))
    return "\n".join(found)


def _is_first(message: Message) -> bool:
    return not Message.objects.filter(thread=message.thread, pk__lt=message.pk).exists()


def _claim(message: Message, now: datetime, *, always: bool = False) -> bool:
    """Note the answer in the conversation; return False if one was given within 12 hours."""
    rows = Conversation.objects.filter(pk=message.thread or 0)
    if not always:
        rows = rows.filter(Q(answered_at=None) | Q(answered_at__lte=now - ONCE_IN))
    return bool(rows.update(answered_at=now))


def _send(text: NewText, words: str, member: Member | None, now: datetime) -> None:
    """Accept the answer. It is the last step, so that nothing is undone after it."""
    draft = Draft(
        to=text.message.from_number,
        text=words,
        recipient_id=member.pk if member else None,
        thread=text.message.thread,
    )
    try:
        accept_message(text.tenant, draft, now=now)
    except UnacceptableError as error:
        logger.warning(
            "An automatic answer was refused",
            extra={
                "action": "answer_refused",
                "church_id": text.tenant.pk,
                "field": error.field,
            },
        )
