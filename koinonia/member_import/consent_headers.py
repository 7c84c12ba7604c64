"""Find the meaning of consent columns from the words of their headers.

A header has a meaning if each of its words has one: a "yes" under "Do not contact (SMS)" opts out,
and so does a "no" under "May we text you?". Any other header about texts or opting in or out is
unclear, and a row with "yes" or "no" in such a column is rejected.
"""

from __future__ import annotations

import re

from koinonia.member_import.consent import Meaning
from koinonia.member_import.consent_languages import in_english


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REFUSAL = re.compile(
    r"\b(?:(?:opt(?:s|ed)? ?)out|un ?subscribe[sd]?|un ?sub|stop(?:s|ped)?|block(?:s|ed)?"
    r"|black ?list(?:ed)?|suppress(?:ed|ion)?|dn[cdt]|do(?:es)? not disturb|mute[ds]?"
    r"|exclude[ds]?)\b"
)
"""Refusal without a further word."""
_NEGATION = re.compile(
    r"\b(?:do(?:es)? ?nt|do(?:es)? not|did not|no longer|not|never|refuse[sd]?|decline[sd]?|denied"
    r"|ca(?:n ?not|nt)(?= (?:text|sms|receive|get))|revoke[ds]?|withdrawn|disabled?|removed?|no(?= (?:more |mobile )?(?:text|sms|mms|txt"
    r"|contact|message|consent|permission|calls or texts)))\b"
)
"""Refusal of the thing that the next words name."""
_AGREEMENT = re.compile(
    r"\b(?:(?:opt(?:s|ed)? ?)in(?:to)?|consent(?:s|ed)?|subscribe[dsr]?|subscribers?|subscription"
    r"|allow(?:s|ed)?|permission|permitted|permits?|agree(?:s|d|ment)?|textable|contactable"
    r"|authori[sz]ed?)\b"
)
"""Agreement without a further word."""
_WISH = re.compile(
    r"\b(?:ok|okay|receives?|receiving|recieves?|gets?|getting|enabled?|accepts?|accepted|wants?"
    r"|wish(?:es)?|likes?|can|may|able|willing|sends?)\b"
)
"""Agreement to the thing that the next words name."""
_TEXTS = _words("sms mms text texts texting texted textable txt txts dnt")
_CONTACT = _TEXTS | _words(
    "message messages messaging msg msgs contact contacted contactable mobile cell marketing"
    " communication communications gdpr tcpa casl dnc"
)
_FILLER = _words(
    "a about alert alerts all any are asked at be been bulk by c call calls check church date do does flag"
    " for from global given has have i if is it mass me my notification notifications of"
    " on our person phone please privacy reminder reminders requested state status sub that the them this time"
    " timestamp to update updates us user via we with would you your"
)
_OTHER_SUBJECTS = _words(
    "newsletter newsletters photo photos directory giving medical media video image whatsapp rota"
    " letter letters sermon"
)
"""Other subjects of consent and of texts."""
_MAIL = frozenset({"email", "emails", "mail", "mailing", "mailings"})
_HINTS = frozenset({"message", "messages", "alerts", "notifications", "gdpr", "tcpa", "casl"})
_COUNTED = re.compile(r"\b(?:count|total|sent|last|num|numbers?)\b")
_OPTING = re.compile(r"\b(?:opt(?:s|ed)? ?(?:in|out)|un ?subscribe[sd]?|dnc|optin|optout)\b")
_PREFERENCE = re.compile(r"\b(?:preferences?|preferred|prefers?)\b")
_COMMUNICATION = frozenset({"communication", "communications", "contact", "messaging"})
_LISTS = re.compile(r"\blists?\b")
"""A remark speaks of the list for texts; a column of this name can be a list of anything."""
_REASON = re.compile(r"\breason\b")


def meaning_of(name: str, header: str = "") -> Meaning | None:
    """Return the meaning of a "yes" in the column ``name`` (normalised); None for other subjects.

    ``header`` is the original spelling of the name.
    """
    name = in_english(name)
    words = set(name.split())
    if words & _MAIL:
        return None
    refusals = len(_REFUSAL.findall(name))
    if refusals and _REASON.search(name):
        return Meaning.OUT_BECAUSE
    if words & _OTHER_SUBJECTS:
        return None
    return _understood(name, header) or _suspected(name, words, header)


def refuses_texts(words: str) -> bool:
    """Return True if ``words`` (normalised), a remark or a tag, refuse texts."""
    words = _LISTS.sub("", in_english(words))
    named = set(words.split())
    about_texts = bool(named & (_TEXTS | {"contact", "dnc", "message", "messages"}))
    return about_texts and meaning_of(words) is Meaning.OUT


def names_texts(words: str) -> bool:
    """Return True if ``words`` (normalised), a preference, include texts."""
    words = in_english(words)
    named = set(words.split())
    return bool(named & (_TEXTS | {"any", "all"})) and not (
        _NEGATION.search(words) or _REFUSAL.search(words) or "no" in named or "except" in named
    )


def _understood(name: str, header: str) -> Meaning | None:
    """Return the meaning of a name that consists of listed words only."""
    rest, refusals = _REFUSAL.subn(" ", name)
    rest, negations = _NEGATION.subn(" ", rest)
    rest, agreements = _AGREEMENT.subn(" ", rest)
    rest, wishes = _WISH.subn(" ", rest)
    if set(rest.split()) - _CONTACT - _FILLER:
        return None
    named = set(name.split())
    is_about_contact = bool(named & _CONTACT)
    if refusals + negations and agreements + wishes and ("/" in header or "|" in header):
        return None
    if refusals == 1 and not negations + agreements:
        return Meaning.OUT
    if negations == 1 and not refusals and (is_about_contact or agreements):
        return Meaning.OUT
    if refusals + negations:
        return None
    is_number = "#" in header
    if agreements or (is_about_contact and (wishes or (named & _TEXTS and not is_number))):
        return Meaning.MAY
    return None


def _suspected(name: str, words: set[str], header: str) -> Meaning | None:
    about_texts = bool(words & _TEXTS or "messaging" in words)
    is_counted = "#" in header or _COUNTED.search(name)
    directions = (_REFUSAL, _NEGATION, _AGREEMENT, _WISH, _PREFERENCE)
    has_direction = "no" in words or any(pattern.search(name) for pattern in directions)
    if about_texts and has_direction and not is_counted:
        return Meaning.UNCLEAR
    if _NEGATION.search(name) and words & {"contact", "call", "phone", "message"}:
        return Meaning.UNCLEAR
    if _PREFERENCE.search(name) and words & _COMMUNICATION:
        return Meaning.PREFERENCE
    hints = about_texts or bool(words & _HINTS or _OPTING.search(name))
    hints |= "status" in words and bool(words & {"mobile", "cell", "phone"})
    if hints and not is_counted:
        return Meaning.HINT
    return None
