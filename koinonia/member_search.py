"""Search for members by the words of a name, or by digits of a number."""

from __future__ import annotations

from functools import reduce
from operator import and_

from django.db.models import Case, IntegerField, Q, Value, When

from koinonia.models.member import MemberQuerySet
from koinonia.names import search_key

EXACT, BEGINS, BEGINS_A_WORD, INSIDE = 3, 2, 1, 0
"""Ranks of a match, the best first."""


def matching(words: str) -> Q:
    """Return a condition: the name contains each word, or the number contains the word's digits.

    Case, accents and apostrophes do not matter.
    """
    return reduce(and_, map(_has, words.split()), Q())


def found(members: MemberQuerySet, words: str) -> MemberQuerySet:
    """Return the members that match, with ``rank``. Order them by ``-rank, -id``."""
    key = search_key(words)
    rank = Case(
        When(search_key=key, then=Value(EXACT)),
        When(search_key__startswith=key, then=Value(BEGINS)),
        When(search_key__contains=f" {key}", then=Value(BEGINS_A_WORD)),
        default=Value(INSIDE),
        output_field=IntegerField(),
    )
    return members.filter(matching(words)).annotate(rank=rank)


def _has(word: str) -> Q:
    named = Q(search_key__contains=search_key(word))
    digits = "".join(letter for letter in word if letter in "0123456789")
    return named | Q(phone__contains=digits) if digits else named
