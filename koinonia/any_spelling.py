"""Regular expressions that find words in texts and ignore case and accents.

Names have a column for searches; for texts, such a column would double the table. The pattern lists
the spellings of each letter instead, by the rule of ``koinonia.names.search_key``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from koinonia.names import search_key

_LETTERS = (*range(0x21, 0x2100), *range(0xFF01, 0xFF5F))
"""Latin, Greek, Cyrillic and other alphabets, punctuation, and the wide forms of ASCII. Letters beyond
them have one spelling."""
_MARKS = ("COMBINING", "HEBREW", "ARABIC")


class _Spellings(NamedTuple):
    by_key: dict[str, str]
    """Letters or pairs of letters of a search key -> the inside of a bracket expression."""
    ignored: str
    """A bracket expression of the marks and apostrophes that a key leaves out."""


def pattern_of(words: str) -> str:
    """Return the pattern of ``words``, for PostgreSQL and for Python (SQLite).

    It is empty if the words have no visible letter.
    """
    key, at, parts = search_key(words), 0, []
    spellings = _spellings()
    while at < len(key):
        pair = spellings.by_key.get(key[at : at + 2], "") if len(key) > at + 1 else ""
        first = _one(key[at])
        if pair:
            # "ss" is ß, "ae" is æ.
            parts.append(f"(?:{first}{spellings.ignored}{_one(key[at + 1])}|[{pair}])")
        else:
            parts.append(first)
        at += 2 if pair else 1
    return spellings.ignored.join(parts)


def _one(letter: str) -> str:
    if letter == " ":
        return r"\s+"
    known = _spellings().by_key.get(letter)
    return f"[{known}]" if known else re.escape(letter)


@lru_cache(maxsize=1)
def _spellings() -> _Spellings:
    by_key: dict[str, str] = defaultdict(str)
    ignored = ""
    for letter in map(chr, _LETTERS):
        if letter.isspace():
            continue
        key = search_key(letter)
        is_mark = unicodedata.category(letter) == "Mn"
        if not key or (is_mark and unicodedata.name(letter, "").startswith(_MARKS)):
            ignored += _escaped(letter)
        elif len(key) <= 2:
            by_key[key] += _escaped(letter)
    return _Spellings(dict(by_key), f"[{ignored}]*")


def _escaped(letter: str) -> str:
    return f"\\{letter}" if letter in r"\]^-[" else letter
