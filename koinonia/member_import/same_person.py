"""Whether two names at one number are one person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from koinonia.models.member import full_name
from koinonia.names import search_key


class Named(Protocol):
    first_name: str
    last_name: str


_N = TypeVar("_N", bound=Named)


def same_person(people: Iterable[_N], first_name: str, last_name: str) -> _N | None:
    """Return the one of ``people``, who share a number, that has this name.

    Case and accents do not count. A missing last name contradicts none, where only one person at
    the number has the first name.
    """
    candidates = list(people)
    if not candidates:
        return None
    wanted = search_key(full_name(first_name, last_name))
    for person in candidates:
        if search_key(full_name(person.first_name, person.last_name)) == wanted:
            return person
    first = search_key(first_name)
    alike = [
        person
        for person in candidates
        if search_key(person.first_name) == first and not (person.last_name and last_name)
    ]
    return alike[0] if len(alike) == 1 else None
