"""Consent in free text: remarks and tags of a person, and the name of a sheet or file."""

from __future__ import annotations

import re
from functools import lru_cache

from koinonia.member_import.columns import normalised
from koinonia.member_import.consent import Consent, Meaning, Statement, statement_of
from koinonia.member_import.consent_headers import names_texts, refuses_texts

_MAX_LENGTH = 80
"""Characters of a tag or a short remark."""
_HINTS = ("text", "sms", "txt", "contact", "dnc")


def statement_in(cell: str, meaning: Meaning) -> Statement:
    """Return the consent in ``cell``, by its value or as a remark like "No texts, please"."""
    statement = statement_of(cell, meaning)
    if statement.consent in (Consent.UNKNOWN, Consent.NOTHING) and refuses_texts_in_words(cell):
        return Statement(Consent.OUT)
    if meaning is Meaning.PREFERENCE and statement.consent is Consent.UNKNOWN:
        wants_texts = len(cell) <= _MAX_LENGTH and names_texts(normalised(cell))
        return Statement(Consent.NO_OPT_OUT if wants_texts else Consent.UNKNOWN)
    return statement


def refuses_texts_in_words(cell: str) -> bool:
    """Return True if the whole cell is an opt-out: the tag "Do Not Text", the note "no texts"."""
    if not 0 < len(cell) <= _MAX_LENGTH:
        return False
    folded = cell.casefold()
    return any(hint in folded for hint in _HINTS) and _asks(cell)


@lru_cache(maxsize=4096)
def _asks(cell: str) -> bool:
    return refuses_texts(normalised(cell))


_REFUSED = re.compile(
    r"(?<![a-z])(?:unsubscrib(?:ed|es|ers)|opt(?:ed)? ?outs?|dn[ct]|black ?list(?:ed)?"
    r"|(?:do not|dont) (?:text|contact|call|sms)|no (?:texts?|texting|sms))(?![a-z])"
)
_CONDITIONS = frozenset(
    ["no", "non", "not", "without", "except", "excluding", "minus", "never", "removed", "with",
     "and", "or", "including", "in", "optin", "column", "columns", "status", "but"]
)  # fmt: skip


def consent_of_title(title: str) -> Consent:
    """Return OUT for the title of a list of opted-out people, such as Mailchimp's "unsubscribed".

    Return UNKNOWN if the title also has a negation or a condition.
    """
    words, found = _REFUSED.subn(" ", normalised(title[-200:]))
    if not found:
        return Consent.NOTHING
    return Consent.UNKNOWN if set(words.split()) & _CONDITIONS else Consent.OUT
