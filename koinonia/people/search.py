"""Search for members by the words of a name, or by digits of a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import and_

from django.db.models import Case, F, IntegerField, Q, Value, When

from koinonia.models.member import MemberQuerySet
from koinonia.names import search_key
from koinonia.typed_numbers import digits_in, holding, other_forms

EXACT, BEGINS, BEGINS_A_WORD, INSIDE = 3, 2, 1, 0
"""Ranks of a match, the best first."""
MOST = 500
"""The most members of each kind that are ranked: those that begin with the words, and the others."""


def matching(words: str, country: str) -> Q:
    """Return a condition: the name contains each word, or the number contains the word's digits.

    Case, accents and apostrophes do not matter. The words without letters may be a number as people of
    ``country`` write it.
    """
    split = words.split()
    numerals = [word for word in split if not any(letter.isalpha() for letter in word)]
    if not digits_in("".join(numerals)):
        return _all(map(_named, split))
    names = [word for word in split if word not in numerals]
    is_number = _all(_has_each([word for word in numerals if digits_in(word)]))
    if others := other_forms(" ".join(numerals), country):
        is_number |= others
    return _all(map(_named, names)) & is_number


def _all(conditions: Iterable[Q]) -> Q:
    return reduce(and_, conditions, Q())


def found(members: MemberQuerySet, words: str, country: str) -> tuple[MemberQuerySet, bool]:
    """Return the members that match, with ``rank`` and its opposite ``misfit``, and whether there are more.

    Order them by ``misfit``, then by name. Of each kind the latest ``MOST`` are ranked: a single letter
    matches nearly all members of a church.
    """
    key = search_key(words)
    latest = members.order_by("-pk").values_list("pk", flat=True)
    exact = latest.filter(search_key=key)[:MOST] if key else ()
    begin = list(latest.filter(_begins(key))[:MOST])
    others = list(latest.filter(matching(words, country)).exclude(_begins(key))[:MOST])
    rank = Case(
        When(search_key=key, then=Value(EXACT)),
        When(_begins(key), then=Value(BEGINS)),
        When(search_key__contains=f" {key}", then=Value(BEGINS_A_WORD)),
        default=Value(INSIDE),
        output_field=IntegerField(),
    )
    ranked = members.filter(pk__in=[*exact, *begin, *others])
    return ranked.annotate(rank=rank, misfit=Value(EXACT) - F("rank")), MOST in (
        len(begin),
        len(others),
    )


def _begins(key: str) -> Q:
    # Words without a letter have an empty key, with which every name would begin.
    return Q(search_key__startswith=key) if key else Q(pk__in=())


def _named(word: str) -> Q:
    return Q(search_key__contains=search_key(word))


def _has_each(numerals: list[str]) -> Iterator[Q]:
    """Yield the conditions of words of digits. The index is asked for the longest, of equals the last.

    The others are often an area code, which nearly every number of the church has.
    """
    longest = max(reversed(numerals), key=lambda word: len(digits_in(word)))
    for word in numerals:
        yield _named(word) | holding(digits_in(word), by_index=word == longest)
