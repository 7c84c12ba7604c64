"""Consent in free text: remarks and tags of a person, and the name of a sheet or file."""

from __future__ import annotations

import re
from functools import lru_cache

from koinonia.member_import.columns import normalised
from koinonia.member_import.consent import (
    UNAMBIGUOUS_OPT_OUTS,
    Consent,
    Meaning,
    Statement,
    statement_of,
    word_of,
)
from koinonia.member_import.consent_headers import meaning_of, names_texts, refuses_texts

_MAX_LENGTH = 80
"""Characters of a tag, or of one clause of a remark."""
_MAX_REMARK_LENGTH = 2_000
_HINTS = re.compile(
    r"text|sms|txt|contact|messag|dn[ct]|opt|unsub|stop|mensa|смс|문자|수신|短信|簡訊|简讯|退",
    re.IGNORECASE,
)
"""The import skips a remark without one of these."""
_PUNCTUATION = re.compile(r"[\n;,.!]")
_CLAUSES = re.compile(r"[\n;,.!()/|–—]|\s-\s")
_OPT_OUTS = UNAMBIGUOUS_OPT_OUTS - {"do not call"}
"""People who want no calls can want texts."""
_DATE_AT_END = re.compile(
    r"[\s(]*(?:(?:on|since|in|as of|el|desde)\s+)?[\d/.\-: ]*[)\s]*$", re.IGNORECASE
)
"""The date at the end of "Opted out 5/2025"."""

_ANSWER = re.compile(r"([^:=?]{2,40})[:=?]\s*([^:=?]{1,20})")
"""A question and its answer in one cell: "Text: No"."""


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
    """Return True if a clause of ``cell`` is an opt-out: see `refusal_in_words`."""
    return bool(refusal_in_words(cell))


def refusal_in_words(cell: str) -> str:
    """Return the clause of ``cell`` that is an opt-out: the tag "Do Not Text", the note "no texts".

    A clause counts as a whole: "Do not text before 9" asks for something else. Return "" without one.
    """
    if not 0 < len(cell) <= _MAX_REMARK_LENGTH or not _HINTS.search(cell):
        return ""
    clauses: list[str] = _CLAUSES.split(cell)
    if not _PUNCTUATION.search(cell.strip(" .!")):
        clauses.insert(0, cell)
    for clause in clauses:
        if 0 < len(clause) <= _MAX_LENGTH and _asks(clause.strip()):
            return clause.strip()
    return ""


@lru_cache(maxsize=4096)
def _asks(clause: str) -> bool:
    if answer := _ANSWER.fullmatch(clause):
        meaning = meaning_of(normalised(answer[1]), answer[1])
        return meaning is not None and statement_of(answer[2], meaning).consent is Consent.OUT
    return word_of(_DATE_AT_END.sub("", clause)) in _OPT_OUTS or refuses_texts(normalised(clause))


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
