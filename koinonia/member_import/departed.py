"""Rows of people that have died or left the church."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from koinonia.member_import import header_names as names
from koinonia.member_import.cell_dates import span_of
from koinonia.member_import.columns import normalised, shown
from koinonia.member_import.consent import NO, YES, word_of

_HAS_LETTERS = re.compile(r"[^\W_]")
_DIED = re.compile(r"\b(?:deceased|died|dead)\b")
_LEFT = re.compile(r"\b(?:inactive|archived|removed|transferred out|moved away)\b")
_IS_ACTIVE = re.compile(r"\bactive\b")
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
        sentence = _("Not imported: %(column)s is %(cell)r, the person has died.")
        return sentence % {"column": died[0][0], "cell": shown(died[0][1])}
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


def _says_died(name: str, header: str, cell: str) -> bool:
    if name in names.STATUS:
        return bool(_DIED.search(word_of(cell)))
    return name in names.DECEASED and _yes(header, cell)


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
