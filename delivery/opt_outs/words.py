"""Keywords: a person sends STOP or START to stop or resume the messages of a tenant.

Sources: 47 CFR 64.1200(a)(10), in force since 2025-04-11 (stop, quit, end, revoke, opt out, cancel,
unsubscribe), and the keywords of providers (STOP ALL, START, UNSTOP). Providers do not block a
number after REVOKE or OPT OUT, so this list is the only protection then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

from delivery.content.visible_text import is_blank

STOP_WORDS = (
    "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT",
    "REVOKE", "OPTOUT", "OPT OUT", "REMOVE",
)  # fmt: skip
START_WORDS = ("START", "UNSTOP")
HELP_WORDS = ("HELP", "INFO")

_EMOJI = re.compile("[\\W\\d\u2139]\ufe0f\u20e3?|[0-9#*]\u20e3")
"""Variation selector 16 turns a character into an emoji; U+20E3 makes a keycap (UTS 51)."""
_LONGEST = 64
"""Characters of a key. A longer line is a sentence."""
_SPELT_OUT = str.maketrans({"\u0131": "i", "ł": "l", "ø": "o", "đ": "d"})
"""Letters with a stroke, and i without a dot. Unicode does not decompose them, but people type the plain letter."""
_SPELLED = re.compile(r"\w(?:[ .*]+\w)+")
"""Single letters with spaces or dots between them."""


def requested(text: str, autoresponse_type: str = "", own: Iterable[str] = ()) -> str:
    """Return the request in ``text``: ``STOP``, ``START`` or ``""``.

    A word counts if it is the whole text, once or repeated, or the whole first line.
    ``autoresponse_type`` is the provider's reading of the text; ``own`` are the tenant's stop words.
    """
    said = autoresponse_type.upper()
    keys = {_joined(found) for found in _keys(text)}
    own_keys = {_joined(key(word)) for word in own} - {""}
    if said == "STOP" or keys & (_STOP_KEYS | own_keys) or _repeats(text, _STOP_KEYS | own_keys):
        return "STOP"
    if said == "START" or keys & _START_KEYS:
        return "START"
    return ""


def phrases(text: str) -> set[str]:
    """Return the comparable forms (:func:`key`) of the whole text and of its first line."""
    return _keys(text)


def _joined(found: str) -> str:
    """Return a key without its spaces: UN-SUBSCRIBE and UNSUBSCRIBE are one word."""
    return found.replace(" ", "")


def _repeats(text: str, words: Set[str]) -> bool:
    """Return True if ``text`` is one of ``words``, repeated: STOP STOP STOP."""
    said = {_joined(key(part)) for part in text.split()} if len(text) <= 4 * _LONGEST else set()
    return len(said - {""}) == 1 and said <= {*words, ""}


def key(word: str) -> str:
    """Return the form of ``word`` for comparisons.

    NFKC, without case, accents and format characters; trimmed to letters and digits at both ends;
    inner spaces and hyphens as one space.
    """
    kept = []
    for letter in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold()):
        category = unicodedata.category(letter)
        if letter.isspace() or category in {"Pd", "Pc", "Zs"}:
            kept.append(" ")
        elif category != "Mn" and not is_blank(letter):
            kept.append(letter)
    folded = " ".join(_between_letters("".join(kept).translate(_SPELT_OUT)).split())
    return re.sub(r"[ .*]", "", folded) if _SPELLED.fullmatch(folded) else folded


def _keys(text: str) -> set[str]:
    """Return the keys of the whole text and of its first line.

    Each is read with and without emoji that NFKC would turn into letters (U+2122 becomes TM).
    """
    plain = _EMOJI.sub(" ", text[:2000])
    lines = (line for line in plain.splitlines() if _between_letters(line))
    found = set()
    for part in {plain if len(text) <= 2000 else "", next(lines, "")}:
        trimmed = _between_letters(part)
        if len(trimmed) <= 4 * _LONGEST:
            found |= {key(part), key(trimmed)}
    return {item for item in found if 0 < len(item) <= _LONGEST}


def _between_letters(text: str) -> str:
    """Return ``text`` from its first to its last visible letter or digit."""
    places = [
        at
        for at, letter in enumerate(text)
        # A Hangul filler is a letter that nobody sees.
        if unicodedata.category(letter)[0] in "LN" and not is_blank(letter)
    ]
    # A vowel sign or accent belongs to the letter before it.
    end = places[-1] + 1 if places else 0
    while end < len(text) and places and unicodedata.category(text[end])[0] == "M":
        end += 1
    return text[places[0] : end] if places else ""


_STOP_KEYS = frozenset(_joined(key(word)) for word in STOP_WORDS)
_START_KEYS = frozenset(_joined(key(word)) for word in START_WORDS)
