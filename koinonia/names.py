"""Names of people, groups and churches, as they are kept and as they are compared."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from delivery.content.visible_text import clean, is_blank


def tidy(name: str) -> str:
    """Return ``name`` as it is kept: NFC, one line, single blanks, nothing invisible; "" where
    nothing of it can be seen."""
    tidied = " ".join(clean(name).split())
    return "" if is_blank(tidied) else tidied


def comparison_key(name: str) -> str:
    """Return what two spellings of one name share: case, width, invisible marks and blanks at the
    ends or doubled do not count; accents do."""
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
"""Letters that Unicode does not take apart into a base and an accent, and marks that people leave
out or write in several ways."""
_ACCENTED_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW")
"""Here a mark on a letter may be left out. In other scripts it makes another letter."""


@lru_cache(maxsize=8192)
def search_key(name: str) -> str:
    """Return what of ``name`` is compared in a search: case, accents, apostrophes and width do not
    count. Two keys that are equal are one name written in two ways."""
    kept: list[str] = []
    accents_count = True
    for letter in unicodedata.normalize("NFKD", tidy(name)).casefold():
        if unicodedata.category(letter) != "Mn":
            accents_count = not _is_of_an_accented_script(letter)
            kept.append(letter)
        elif accents_count:
            kept.append(letter)
    folded = "".join(kept).translate(_SPELT_OUT)
    visible = "".join(letter for letter in folded if not is_blank(letter) or letter.isspace())
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _is_of_an_accented_script(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(_ACCENTED_SCRIPTS)
