"""The search of conversations: by a person's name, by digits of the number, and by words of the texts."""

from __future__ import annotations

from django.db.models import Q

from delivery.models import Message
from koinonia.member_search import matching
from koinonia.models import Church, Member

TEXTS_SEARCHED = 10_000
"""The newest texts of a church in which words are looked for: no index holds their words."""
_MOST_FOUND = 500
"""Conversations that a search by words may find."""
_FEWEST_DIGITS = 3


def found(church: Church, words: str) -> Q:
    """Return the condition: person, number or texts of the conversation contain ``words``."""
    condition = Q(pk__in=_threads_with(church, words.strip()))
    people = Member.objects.filter(matching(words), church=church)
    condition |= Q(phone__in=people.values("phone"))
    digits = "".join(letter for letter in words if letter in "0123456789")
    if len(digits) >= _FEWEST_DIGITS:
        condition |= Q(phone__contains=digits)
    return condition


def _threads_with(church: Church, words: str) -> list[int]:
    """Return the conversations with single texts that contain ``words``."""
    newest = Message.objects.filter(tenant=church).order_by("-created_at", "-pk")
    texts = Message.objects.filter(
        pk__in=newest.values("pk")[:TEXTS_SEARCHED], batch=None, text__icontains=words
    )
    threads = texts.order_by().values_list("thread", flat=True).distinct()
    return [thread for thread in threads[:_MOST_FOUND] if thread is not None]
