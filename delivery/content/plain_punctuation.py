"""Replace typographic characters, which make a text UCS-2, by plain punctuation.

A phone's keyboard inserts curly apostrophes, and a single one cuts the size of a part from 160
characters to 70 (3GPP TS 23.038). Letters are never replaced: names keep their spelling.
"""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from delivery.content.encoding import outside_alphabet

_GROUPS = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u02b9\u2039\u203a\u00b4\u0060",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u00ad\u2022\u00b7",
    "...": "\u2026",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "!": "\uff01",
    "?": "\uff1f",
    "/": "\u2044\u2215",
    "x": "\u00d7",
}
PLAIN = {letter: plain for plain, letters in _GROUPS.items() for letter in letters}
"""A typographic character, and its plain replacement."""
_TABLE = str.maketrans(PLAIN)
_MOST_NAMED = 3


def plain(text: str) -> str:
    """Return ``text`` with plain punctuation. Only characters outside the GSM 7-bit alphabet change."""
    return text.translate(_TABLE)


def costly(text: str) -> list[tuple[str, str, int, str | None]]:
    """Return the characters that make ``text`` UCS-2: ``(character, name, count, replacement or None)``."""
    return [
        (letter, unicodedata.name(letter, f"U+{ord(letter):04X}"), number, PLAIN.get(letter))
        for letter, number in outside_alphabet(text).items()
    ]


def advice(text: str) -> str:
    """Return a sentence that names the costly characters of ``text``; empty if it has none."""
    found = costly(text)
    if not found:
        return ""
    named = [
        _("%(letter)s (%(name)s, write %(instead)s instead)")
        % {"letter": letter, "name": name.lower(), "instead": instead}
        if instead
        else f"{letter} ({name.lower()})"
        for letter, name, _count, instead in found[:_MOST_NAMED]
        if letter.isprintable()
    ]
    listed = ", ".join(named) or _("an invisible character")
    if len(found) > _MOST_NAMED:
        listed = _("%(listed)s and %(number)s more") % {
            "listed": listed,
            "number": len(found) - _MOST_NAMED,
        }
    return _("It takes more parts because of %(listed)s.") % {"listed": listed}
