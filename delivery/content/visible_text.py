"""Reduce a text to its visible characters: no control characters, no bidi controls, canonical form."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_KEPT_CONTROLS = "\n\t"
_JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of the spelling of Persian and Indic words, and of emoji."""
_VISIBLE_FORMATS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Prepended_Concatenation_Mark (PropList.txt): visible characters of category Cf."""
_FLAG = "\U0001f3f4"
_TAGS = range(0xE0020, 0xE0080)
"""Tag characters: after a black flag they name a region (UTS 51, emoji tag sequences)."""
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Default_Ignorable_Code_Point outside category Cf, plus the blank Braille pattern."""


def clean(text: str) -> str:
    """Return ``text`` in NFC, without control, format, bidi and unassigned-surrogate characters.

    Line feed, tab, joiners inside words, flag tags and visible format characters are kept.
    CR LF and CR become LF. The result may be empty.
    """
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not any(_steers(letter) for letter in set(text) if letter not in _KEPT_CONTROLS):
        return text
    kept: list[str] = []
    for at, letter in enumerate(text):
        if _stays(letter, kept, text[at + 1 : at + 2]):
            kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


def is_blank(text: str) -> bool:
    """Return True if ``text`` has no visible character."""
    return all(
        letter.isspace()
        or letter in _INVISIBLE
        or (_steers(letter) and letter not in _VISIBLE_FORMATS)
        for letter in text
    )


def _stays(letter: str, kept: list[str], following: str) -> bool:
    if not _steers(letter):
        return True
    if letter in _KEPT_CONTROLS or letter in _VISIBLE_FORMATS:
        return True
    before = kept[-1] if kept else ""
    if letter in _JOINERS:
        return _is_of_a_word(before) and _is_of_a_word(following)
    return ord(letter) in _TAGS and (before == _FLAG or (bool(before) and ord(before) in _TAGS))


@lru_cache(maxsize=1_000)
def _steers(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs"} or letter in "\u2028\u2029"


def _is_of_a_word(letter: str) -> bool:
    """Return True for a letter or its mark, and for an emoji or its modifier (skin tones are Sk)."""
    return bool(letter) and unicodedata.category(letter) in {
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "So", "Sk",
    }  # fmt: skip


def storable(text: str) -> str:
    """Return ``text`` as every database can store it.

    NUL, which PostgreSQL refuses, is removed. A lone surrogate, which JSON can spell, becomes "?".
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
