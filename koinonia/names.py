"""Names of people, groups and churches: cleaned for storage, and folded for comparison."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from delivery.content.visible_text import clean, is_blank


def tidy(name: str) -> str:
    """Return ``name`` cleaned for storage: NFC, one line, single blanks, without invisible
    characters. Return "" for an invisible name."""
    tidied = " ".join(clean(name).split())
    return "" if not tidied.isascii() and is_blank(tidied) else tidied


def comparison_key(name: str) -> str:
    """Return a key that ignores case, width, invisible marks and extra blanks, but not accents."""
    folded = unicodedata.normalize("NFKC", tidy(name)).casefold()
    visible = "".join(letter for letter in folded if not is_blank(letter) or letter.isspace())
    return " ".join(unicodedata.normalize("NFKC", visible).split())


_SPELT_OUT = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "ƙ": "k", "ɓ": "b", "ɗ": "d", "ə": "e",
        **dict.fromkeys("'’‘ʼʻ`´ʹʾʿ", ""),
        **dict.fromkeys("‐‑‒–—−", "-"),
    }
)  # fmt: skip
"""Letters that Unicode does not decompose into a base and an accent, and punctuation marks with
several spellings."""
_ACCENTED_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW")
"""Searches ignore marks in these scripts. In other scripts a mark makes a different letter."""


@lru_cache(maxsize=8192)
def search_key(name: str) -> str:
    """Return a key for searches that ignores case, accents, apostrophes and width.

    Equal keys mean two spellings of the same name.
    """
    if name.isascii() and name.isprintable():
        # Most names, at a tenth of the cost: an import compares 50,000 of them.
        return " ".join(name.lower().translate(_SPELT_OUT).split())
    kept: list[str] = []
    accents_count = True
    for letter in unicodedata.normalize("NFKD", tidy(name)).casefold():
        if unicodedata.category(letter) != "Mn":
            accents_count = not _has_accented_script(letter)
            kept.append(letter)
        elif accents_count:
            kept.append(letter)
    folded = "".join(kept).translate(_SPELT_OUT)
    visible = "".join(letter for letter in folded if not is_blank(letter) or letter.isspace())
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _has_accented_script(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(_ACCENTED_SCRIPTS)
