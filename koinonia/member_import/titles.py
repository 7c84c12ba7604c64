"""What the name of a file, or of a sheet, says about all people in it."""

from __future__ import annotations

import re

from koinonia.member_import.columns import normalised
from koinonia.member_import.consent import Said

_REFUSED = re.compile(
    r"(?<![a-z])(?:unsubscrib(?:ed|es|ers)|opt(?:ed)? ?outs?|dn[ct]|black ?list(?:ed)?"
    r"|(?:do not|dont) (?:text|contact|call|sms)|no (?:texts?|texting|sms))(?![a-z])"
)
_CONDITIONS = frozenset(
    ["no", "non", "not", "without", "except", "excluding", "minus", "never", "removed", "with",
     "and", "or", "including", "in", "optin", "column", "columns", "status", "but"]
)  # fmt: skip


def title_says(title: str) -> Said:
    """Return OUT for a list of people who have said no, as Mailchimp names it; UNKNOWN where a
    negation or another condition stands beside those words."""
    words, found = _REFUSED.subn(" ", normalised(title[-200:]))
    if not found:
        return Said.NOTHING
    return Said.UNKNOWN if set(words.split()) & _CONDITIONS else Said.OUT
