"""Rows of people that have died or left the church."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from koinonia.member_import import header_names as names
from koinonia.member_import.cell_dates import span_of
from koinonia.member_import.columns import is_about_death, normalised, shown
from koinonia.member_import.consent import NO, YES, word_of
from koinonia.names import search_key

_HAS_LETTERS = re.compile(r"[^\W_]")
_DEATH_WORDS = (
    "deceased|died|dead|death|passed away|fallecid[oa]|difunt[oa]|falecid[oa]|decedee?|verstorben"
)
_DIED = re.compile(rf"\b(?:{_DEATH_WORDS})\b")
_DIED_ALONE = re.compile(rf"(?:{_DEATH_WORDS})(?: member)?(?: (?:on|in|el|em|le|am))?[\d\W]*")
"""The whole cell: "Deceased", "Died 3/1/2025"."""
_LEFT = re.compile(
    r"\b(?:inactive|archived|removed|transferred out|moved away|inactiv[oa]|inativ[oa]|archivad[oa])\b"
)
_IS_ACTIVE = re.compile(r"\b(?:active|activ[oa]|ativ[oa])\b")
_ABOUT_THE_PERSON = frozenset(
    {"status", "type", "membership", "member", "category", "categories", "reason", "state", "note",
     "notes", "comment", "comments", "remark", "remarks", "tipo", "condicion", "notas",
     "observaciones", "categoria"}
)  # fmt: skip
"""A column with one of these words is about the person of its row, not about a relative."""
_LONGEST_REMARK = 40
_NO_DATE = re.compile(r"[0\W_]*")
"""An empty date in the notation of some programs: ``0000-00-00``, ``  /  /    ``."""


class UnknownDepartureError(ValueError):
    """The cell is not a yes or a no. The message is a sentence for users."""


def departure(cells: Iterable[tuple[str, str]]) -> str:
    """Return why a person with these (header, cell) pairs is not imported, as a sentence.

    Return "" if the person has not departed. Raise UnknownDepartureError for an unclear value.
    """
    filled = [
        (normalised(header), shown(header), cell)
        for header, cell in cells
        if _HAS_LETTERS.search(cell)
    ]
    died = [(header, cell) for name, header, cell in filled if _says_died(name, header, cell)]
    if died:
        return _died(*died[0])
    is_active = any(
        name in names.STATUS - names.GONE_SINCE and _says_active(cell) for name, _, cell in filled
    )
    for name, header, cell in filled:
        if _says_gone(name, header, cell) and not (is_active and name in names.GONE_SINCE):
            sentence = _(
                "Not imported: %(column)s is %(cell)r. To import this person, say in the file that the"
                " record is active."
            )
            return sentence % {"column": header, "cell": shown(cell)}
    return ""


def death_in(tags: Iterable[tuple[str, str]], others: Iterable[tuple[str, str]]) -> str:
    """Return a sentence if a tag or an ignored column names the death of the person, else "".

    The pairs are (header, cell). Only a whole cell counts, because a remark can concern a relative.
    """
    about = (
        (header, cell)
        for header, cell in others
        if not _ABOUT_THE_PERSON.isdisjoint(words := normalised(header).split())
        and names.DEATH_OF_ANOTHER.isdisjoint(words)
    )
    for header, cell in (*tags, *about):
        if len(cell) <= _LONGEST_REMARK and _DIED_ALONE.fullmatch(search_key(word_of(cell))):
            return _died(header, cell)
    return ""


def _died(header: str, cell: str) -> str:
    sentence = _("Not imported: %(column)s is %(cell)r, the person has died.")
    return sentence % {"column": shown(header), "cell": shown(cell)}


def _says_died(name: str, header: str, cell: str) -> bool:
    if name in names.STATUS:
        return bool(_DIED.search(search_key(word_of(cell))))
    return is_about_death(name) and _yes(header, cell)


def _says_gone(name: str, header: str, cell: str) -> bool:
    word = word_of(cell)
    if name in names.PRESENT:
        return not _yes(header, cell)
    if name in names.GONE:
        return _yes(header, cell)
    if name in names.GONE_SINCE:
        return word not in NO and not _NO_DATE.fullmatch(word)
    return name in names.STATUS and bool(_LEFT.search(word))


def _says_active(cell: str) -> bool:
    word = word_of(cell)
    return bool(_IS_ACTIVE.search(word)) and not _LEFT.search(word)


def _yes(header: str, cell: str) -> bool:
    word = word_of(cell)
    if word in YES or span_of(cell) or _DIED.fullmatch(word) or word in ("active", "archived"):
        return True
    if word in NO or _NO_DATE.fullmatch(word) or word == "inactive":
        return False
    sentence = _("%(column)s: %(cell)r is neither yes nor no. The person is not imported.")
    raise UnknownDepartureError(sentence % {"column": header, "cell": shown(cell)})
