"""What the words of a cell say about texts, where the column does not ask for yes or no."""

from __future__ import annotations

from functools import lru_cache

from koinonia.member_import.columns import normalised
from koinonia.member_import.consent import Meaning, Opinion, Said, opinion_of
from koinonia.member_import.consent_headers import names_texts, refuses_texts

_LONGEST = 80
"""Characters of a tag or remark that says one thing."""
_HINTS = ("text", "sms", "txt", "contact", "dnc")


def opinion_in(cell: str, meaning: Meaning) -> Opinion:
    """Return what ``cell`` says about texts, by the table of words, or as "No texts, please"."""
    opinion = opinion_of(cell, meaning)
    if opinion.said in (Said.UNKNOWN, Said.NOTHING) and asks_for_no_texts(cell):
        return Opinion(Said.OUT)
    if meaning is Meaning.PREFERENCE and opinion.said is Said.UNKNOWN:
        wants_texts = len(cell) <= _LONGEST and names_texts(normalised(cell))
        return Opinion(Said.NO_OPT_OUT if wants_texts else Said.UNKNOWN)
    return opinion


def asks_for_no_texts(cell: str) -> bool:
    """Return whether the whole cell asks for no texts: the tag "Do Not Text", a note "no texts"."""
    if not 0 < len(cell) <= _LONGEST:
        return False
    folded = cell.casefold()
    return any(hint in folded for hint in _HINTS) and _asks(cell)


@lru_cache(maxsize=4096)
def _asks(cell: str) -> bool:
    return refuses_texts(normalised(cell))
