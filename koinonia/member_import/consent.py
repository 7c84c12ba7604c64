"""The consent in a cell of a consent column. Unknown values are never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from koinonia.member_import.cell_dates import Span, span_of
from koinonia.names import tidy


class Meaning(Enum):
    """The meaning of a "yes" in a consent column."""

    OUT = "opted out"
    MAY = "may be texted"
    OUT_BECAUSE = "opted out, with the reason in the cell"
    PREFERENCE = "the channels that a person wants"
    UNCLEAR = "not understood"
    HINT = "perhaps about texts"
    """Reject the ambiguous values "yes" and "no"; ignore other values."""


class Consent(Enum):
    """The consent that one cell expresses."""

    OUT = 1
    NO_OPT_OUT = 2
    NOTHING = 3
    """The cell is empty."""
    NEITHER = 4
    """A known value other than yes and no, such as "pending"."""
    UNKNOWN = 5


YES = frozenset(
    {"yes", "y", "true", "t", "1", "x", "✓", "✔", "☑", "✅", "on", "sí", "si", "oui", "ja", "s",
     "sim", "wi", "tak", "так", "да", "oo", "예", "네", "是", "はい", "có", "yes please", "yes, please"}
)  # fmt: skip
NO = frozenset(
    {"no", "n", "false", "f", "0", "off", "non", "nein", "☐", "não", "nao", "nie", "ні", "нет",
     "hindi", "아니오", "아니요", "否", "不", "いいえ", "không", "no thanks", "no, thanks",
     "no thank you", "no, thank you", "no gracias", "no, gracias"}
)  # fmt: skip
_OUT = frozenset(
    {"unsubscribed", "opted out", "opt out", "stop", "stopped", "blocked", "blacklisted",
     "suppressed", "cancelled", "canceled", "do not text", "do not contact", "do not call", "dnc",
     "dnt", "수신거부", "退订", "退訂"}
)  # fmt: skip
_IN = frozenset({"subscribed", "opted in", "enrolled", "allowed", "active"})
_NEITHER = frozenset({"not enrolled", "pending", "unconfirmed", "non subscribed", "never"})
_OUT_OF_TEXTS = frozenset(
    {"declined", "refused", "denied", "revoked", "withdrawn", "disabled", "not allowed",
     "rechazado", "rechaza", "recusado", "거부", "미동의", "동의안함", "수신거부", "拒绝", "拒絕", "不同意"}
)  # fmt: skip
_IN_TO_TEXTS = frozenset(
    {"opt in", "enabled", "accepted", "accepts", "accept", "agreed", "granted", "ok", "okay",
     "acepta", "aceptado", "aceita", "동의", "동의함", "수신", "허용", "同意"}
)  # fmt: skip
"""Clear only in a column with a "yes" for texts."""
_NO_DATE = re.compile(r"0{1,4}([-/.])0{1,4}\1(?:0{1,4})(?:[T ][0:.]*)?|\s*/\s*/\s*")
"""An empty date in the notation of some programs: ``0000-00-00``, ``  /  /``."""
_NO_REASON = frozenset({"none", "n/a", "na", "-"})
_SEPARATORS = re.compile(r"[\s_\-\u2010-\u2015]+")
UNAMBIGUOUS_OPT_OUTS = _OUT - {"blocked", "suppressed", "cancelled", "canceled"}
"""Values that opt out in a status column too; further opt-out values are ambiguous there."""


@dataclass(frozen=True, slots=True)
class Statement:
    consent: Consent
    since: Span | None = None
    """The date of the consent, if the cell is a date."""


def word_of(cell: str) -> str:
    """Return a cell normalised for comparison: NFKC, lower case, dashes as blanks."""
    text = unicodedata.normalize("NFKC", tidy(cell)).casefold()
    return _SEPARATORS.sub(" ", text).strip() or text


def statement_of(cell: str, meaning: Meaning) -> Statement:
    """Return the consent in ``cell``; a "yes" in its column means ``meaning``."""
    word = word_of(cell)
    if not word or _NO_DATE.fullmatch(cell.strip()):
        return Statement(Consent.NOTHING)
    if word in _OUT:
        return Statement(Consent.OUT)
    if meaning is Meaning.OUT_BECAUSE:
        return Statement(Consent.NO_OPT_OUT if word in NO | _NO_REASON else Consent.OUT)
    if word in _IN or (meaning is Meaning.MAY and word in _IN_TO_TEXTS):
        return Statement(Consent.NO_OPT_OUT)
    if meaning is Meaning.MAY and word in _OUT_OF_TEXTS:
        return Statement(Consent.OUT)
    if word in _NEITHER:
        return Statement(Consent.NOTHING if meaning is Meaning.HINT else Consent.NEITHER)
    since = None
    if word in YES or (word not in NO and (since := span_of(cell))):
        by_meaning = {Meaning.OUT: Consent.OUT, Meaning.MAY: Consent.NO_OPT_OUT}
        if since and meaning is Meaning.HINT:
            return Statement(Consent.NOTHING)
        return Statement(by_meaning.get(meaning, Consent.UNKNOWN), since)
    if word in NO:
        by_meaning = {Meaning.OUT: Consent.NO_OPT_OUT, Meaning.MAY: Consent.OUT}
        return Statement(by_meaning.get(meaning, Consent.UNKNOWN))
    return Statement(Consent.NOTHING if meaning is Meaning.HINT else Consent.UNKNOWN)


def is_opted_out(statements: Iterable[Statement]) -> bool:
    """Return True if any statement opts out, unless another opts in at a certainly later date."""
    given = list(statements)
    opt_ins = [one.since.first for one in given if one.consent is Consent.NO_OPT_OUT and one.since]
    latest = max(opt_ins, default=date.min)
    return any(
        one.consent is Consent.OUT and not (one.since and one.since.last < latest) for one in given
    )
