"""Names of people, groups and churches, as they are kept and as they are compared."""

from __future__ import annotations

import unicodedata

from delivery.visible_text import clean, is_blank


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
