"""Pairs of members that may be one person: one name with similar numbers, or one number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import combinations

from django.db.models import Count, Q, QuerySet

from koinonia.kept_by_version import KeptByVersion
from koinonia.models import Church, DistinctMembers, Member

MOST = 50
"""Pairs that are shown at once."""
_MOST_KEYS = 500
_MOST_OF_A_KEY = 20
_MOST_OTHER_DIGITS = 2
_SAME_END = 7
"""Digits of a number without its area code."""


class Reason(StrEnum):
    NAME_AND_NUMBER = "name and number"
    NAME = "name"
    """The names are equal, and the numbers differ in few digits."""
    NUMBER = "number"
    """Two names at one number: perhaps a family."""


@dataclass(frozen=True)
class Pair:
    older: Member
    newer: Member
    reason: Reason
    likeness: float

    @property
    def both(self) -> tuple[Member, Member]:
        return self.older, self.newer


def pairs(church: Church, most: int = MOST) -> tuple[list[Pair], bool]:
    """Return the most likely pairs, and whether there may be more of them.

    Pairs that a person has marked as two people are left out.
    """
    members = Member.objects.filter(church=church)
    rows = [
        group
        for column, keys in _SHARED.of(church).items()
        for group in _sharing(members, column, keys)
    ]
    distinct = set(
        DistinctMembers.objects.filter(one__church=church).values_list("one_id", "other_id")
    )
    found: dict[tuple[int, int], Pair] = {}
    for group in rows:
        for older, newer in combinations(group, 2):
            pair = _pair(older, newer)
            if pair and (older.pk, newer.pk) not in distinct:
                found.setdefault((older.pk, newer.pk), pair)
    ordered = sorted(found.values(), key=lambda pair: (-pair.likeness, -pair.newer.pk))
    return ordered[:most], len(ordered) > most


def similar(one: str, other: str) -> bool:
    """Return whether two E.164 numbers may be one number with a slip or another area code."""
    if one[-_SAME_END:] == other[-_SAME_END:]:
        return True
    differing = sum(a != b for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and differing <= _MOST_OTHER_DIGITS


def _pair(older: Member, newer: Member) -> Pair | None:
    same_name = older.search_key == newer.search_key
    if older.phone == newer.phone:
        if same_name:
            return Pair(older, newer, Reason.NAME_AND_NUMBER, 2)
        likeness = SequenceMatcher(None, older.search_key, newer.search_key).ratio()
        return Pair(older, newer, Reason.NUMBER, likeness)
    if same_name and similar(older.phone, newer.phone):
        return Pair(older, newer, Reason.NAME, 1.5)
    return None


def _shared(church: Church) -> dict[str, list[str]]:
    """Return the names, and the numbers, that several members have."""
    members = Member.objects.filter(church=church)
    found = {}
    for column in ("search_key", "phone"):
        # Without a column, the count is read from the index of names or numbers alone.
        counted = members.values(column).annotate(number=Count("*")).filter(number__gt=1)
        found[column] = list(
            counted.order_by("-number").values_list(column, flat=True)[:_MOST_KEYS]
        )
    return found


_SHARED = KeptByVersion("members", _shared)
"""50,000 members take 16 ms to group."""


def _sharing(members: QuerySet[Member], column: str, keys: list[str]) -> Iterator[list[Member]]:
    """Yield lists of members with the same value in ``column``."""
    groups: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members.filter(Q(**{f"{column}__in": keys})).order_by("pk"):
        if len(groups[getattr(member, column)]) < _MOST_OF_A_KEY:
            groups[getattr(member, column)].append(member)
    yield from groups.values()
