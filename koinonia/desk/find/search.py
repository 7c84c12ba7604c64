"""Find texts by a whole number, an id, or a church and a time. Each query follows an index.

A search by number covers all churches: the texts to it by their unique index, the texts from it by its conversations.
A search counts no rows, and returns at most ``MOST`` texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from delivery.models import Direction, Message, OptOut, WebhookEvent
from koinonia.desk.find.asked import Asked, keys_in
from koinonia.models import Church, Conversation, SendingNumber

MOST = 50
_MOST_CONVERSATIONS = 200


@dataclass(slots=True)
class Found:
    """The texts of a search, newest first."""

    texts: list[Message] = field(default_factory=list)
    is_cut: bool = False
    """There are older ones."""
    opt_outs: list[OptOut] = field(default_factory=list)
    """The opt-outs of the number, at any church."""
    sender_of: Church | None = None
    """The church that sends from the number; the texts are the church's."""
    events: list[WebhookEvent] = field(default_factory=list)
    """An id that no text has: the webhook events with it."""


def find(asked: Asked) -> Found:
    if asked.number:
        return _by_number(asked)
    if asked.word:
        return _by_id(asked)
    return _of_church(asked) if asked.church else Found()


def _by_number(asked: Asked) -> Found:
    own = SendingNumber.objects.filter(number=asked.number).select_related("church").first()
    if own is not None:
        church = asked.church or own.church
        found = _of_church(Asked(church=church, since=asked.since, until=asked.until))
        found.sender_of = own.church
        return found
    churches = _churches(asked)
    to_it = _texts(asked).filter(to_number=asked.number)
    if asked.church:
        to_it = to_it.filter(tenant=asked.church)
    talks = Conversation.objects.filter(church__in=churches, phone=asked.number)
    keys = list(talks.values_list("pk", flat=True)[:_MOST_CONVERSATIONS])
    from_it = _texts(asked).filter(thread__in=keys, direction=Direction.INBOUND)
    both = [*to_it.order_by("-pk")[: MOST + 1], *from_it.order_by("-pk")[: MOST + 1]]
    opt_outs = OptOut.objects.filter(tenant__in=churches, number=asked.number)
    found = _cut(sorted(both, key=lambda text: (text.created_at, text.pk), reverse=True))
    found.opt_outs = list(opt_outs.select_related("tenant").order_by("-created_at")[:MOST])
    return found


def _by_id(asked: Asked) -> Found:
    # PostgreSQL may read the whole table for one query with OR.
    rows: dict[int, Message] = {}
    for condition in (Q(pk__in=keys_in(asked.word)), Q(provider_id=asked.word)):
        rows |= {text.pk: text for text in _texts(asked).filter(condition)[:MOST]}
    if rows:
        return Found(sorted(rows.values(), key=lambda text: text.pk, reverse=True))
    events: dict[int, WebhookEvent] = {}
    for condition in (Q(event_id=asked.word), Q(provider_id=asked.word)):
        known = WebhookEvent.objects.filter(condition).defer("payload")
        events |= {event.pk: event for event in known[:MOST]}
    return Found(events=sorted(events.values(), key=lambda event: event.pk, reverse=True))


def _of_church(asked: Asked) -> Found:
    texts = _texts(asked).filter(tenant=asked.church)
    return _cut(texts.order_by("-created_at", "-pk")[: MOST + 1])


def _cut(texts: Iterable[Message]) -> Found:
    listed = list(texts)
    return Found(listed[:MOST], is_cut=len(listed) > MOST)


def _texts(asked: Asked) -> QuerySet[Message]:
    """Return the texts between ``since`` and ``until``, without their words."""
    rows = Message.objects.select_related("tenant").defer("text", "template")
    if asked.since:
        rows = rows.filter(created_at__gte=asked.since)
    return rows.filter(created_at__lt=asked.until) if asked.until else rows


def _churches(asked: Asked) -> Any:
    """Return the churches as a subquery, so that indexes that begin with the church can be used."""
    chosen = Church.objects.all()
    return (chosen.filter(pk=asked.church.pk) if asked.church else chosen).values("pk")
