"""The one table of Telnyx codes: a meaning for the engine and a sentence for support.

Sources: developers.telnyx.com/api/errors/<code>, "Messaging error code reference", "Configurable
spend limits", "Idempotency". The code decides; the HTTP status only where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.models import Outcome
from delivery.remedies import Remedy, by_class


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    kind: Outcome
    whole_account: bool = False
    opted_out: bool = False
    final: bool = False
    pause: float | None = None
    """Seconds to pause where the answer names none."""
    hold: bool = False
    """Hold the account until a person acts or, if throttled, until midnight UTC."""
    remedy: Remedy | None = None
    """None: the remedy of ``kind``."""


_PERMANENT = Meaning(kind=Outcome.PERMANENT)
_BUG = Meaning(kind=Outcome.PERMANENT, remedy=Remedy.ASK_SUPPORT)
_WRONG_NUMBER = Meaning(kind=Outcome.PERMANENT, remedy=Remedy.CORRECT_NUMBER)
_PHONE = Meaning(kind=Outcome.PERMANENT, remedy=Remedy.CALL_PERSON)
_TEXT = Meaning(kind=Outcome.PERMANENT, remedy=Remedy.CHANGE_TEXT)
_SENDER = Meaning(kind=Outcome.CONFIGURATION)
"""The number may not send this text, but it may send others."""
_NUMBER = Meaning(kind=Outcome.CONFIGURATION, pause=10)
"""The number may send nothing: its other texts wait, so that they do not fail one by one."""
_ACCOUNT = Meaning(kind=Outcome.CONFIGURATION, whole_account=True, hold=True)
_RETRYABLE = Meaning(kind=Outcome.RETRYABLE)
_AMBIGUOUS = Meaning(kind=Outcome.AMBIGUOUS)
_TOO_MANY = Meaning(kind=Outcome.THROTTLED, whole_account=True, pause=1)

_CALL_SUPPORT = _("Our account at Telnyx may not send now. Support must fix it; then retry.")
_CHANGE_SETUP = _("The sending number may not send this text. Its setup at Telnyx needs a change.")
_ASK_TELNYX = _(
    "Telnyx could not switch the sending number on for texting. Ask Telnyx; then retry."
)
_OUR_BUG = _("Telnyx did not understand our request. This is our fault: tell the developers.")

# fmt: off
_TABLE: dict[str, tuple[Meaning, str | Promise]] = {
    # The account or its key.
    "10009": (_ACCOUNT, _CALL_SUPPORT),  # authentication failed
    "10010": (_ACCOUNT, _CALL_SUPPORT),  # not authorised
    "20001": (_ACCOUNT, _CALL_SUPPORT),  # key secret invalid
    "20002": (_ACCOUNT, _CALL_SUPPORT),  # key revoked
    "20003": (_ACCOUNT, _CALL_SUPPORT),  # key forbidden
    "20005": (_ACCOUNT, _CALL_SUPPORT),  # user invalid
    "20006": (_ACCOUNT, _CALL_SUPPORT),  # key expired
    "20008": (_ACCOUNT, _CALL_SUPPORT),  # key invalid
    "20009": (_ACCOUNT, _CALL_SUPPORT),  # user does not exist
    "20012": (_ACCOUNT, _CALL_SUPPORT),  # account inactive
    "20013": (_ACCOUNT, _CALL_SUPPORT),  # account blocked
    "20014": (_ACCOUNT, _CALL_SUPPORT),  # account not verified, and the next three
    "20015": (_ACCOUNT, _CALL_SUPPORT),
    "20016": (_ACCOUNT, _CALL_SUPPORT),
    "20017": (_ACCOUNT, _CALL_SUPPORT),
    "20100": (_ACCOUNT, _("Our account at Telnyx has no money left. Top it up; then retry.")),
    "40311": (_ACCOUNT, _CALL_SUPPORT),  # profile secret
    "40312": (_ACCOUNT, _CALL_SUPPORT),  # messaging profile disabled
    "40313": (_ACCOUNT, _CALL_SUPPORT),
    "40314": (_ACCOUNT, _CALL_SUPPORT),  # messaging disabled on the account
    # The sending number and its permissions.
    "10001": (_NUMBER, _("The sending number is not active at Telnyx.")),
    "10035": (_NUMBER, _("Telnyx has locked the sending number. Ask Telnyx why; then retry.")),
    "10038": (_SENDER, _("Our account at Telnyx may not send texts of this kind. Upgrade it; then retry.")),
    "10039": (_SENDER, _("Our account at Telnyx has reached a limit of its level. Upgrade it; then retry.")),
    "40010": (_NUMBER, _("The sending number is not registered for texting (10DLC). Register it; then retry.")),
    "40013": (_NUMBER, _("The carrier does not know the sending number as a sender. Telnyx must look into it.")),
    "40019": (_NUMBER, _("The sending number and its 10DLC campaign do not match at Telnyx.")),
    "40100": (_NUMBER, _("The sending number is not switched on for texting at Telnyx.")),
    "40150": (_NUMBER, _ASK_TELNYX),  # toll-free number not in the registry (OSR), and its kind
    "40151": (_NUMBER, _("Another provider still has the sending number. Wait for the transfer; then retry.")),
    "40152": (_NUMBER, _ASK_TELNYX),
    "40153": (_NUMBER, _ASK_TELNYX),
    "40154": (_NUMBER, _ASK_TELNYX),
    "40155": (_NUMBER, _("Telnyx needs a letter of authorization for the sending number. Send it; then retry.")),
    "40156": (_NUMBER, _ASK_TELNYX),
    "40157": (_NUMBER, _ASK_TELNYX),
    "40158": (_NUMBER, _ASK_TELNYX),
    "40159": (_NUMBER, _ASK_TELNYX),
    "40305": (_NUMBER, _("The sending number is not set up for texting at Telnyx.")),
    "40306": (_SENDER, _CHANGE_SETUP),  # alphanumeric sender
    "40307": (_SENDER, _CHANGE_SETUP),
    "40308": (_SENDER, _("The sending number cannot send pictures.")),
    "40309": (_SENDER, _("Texting to this country is not switched on at Telnyx.")),
    "40315": (_NUMBER, _("Carriers distrust the sending number. Telnyx must look into it.")),
    "40321": (_NUMBER, _CHANGE_SETUP),  # no usable number in the pool
    "40323": (_NUMBER, _ASK_TELNYX),  # could not enable messaging on the number
    "40324": (_NUMBER, _ASK_TELNYX),  # could not change the product types of the number
    "40325": (_SENDER, _CHANGE_SETUP),
    "40326": (_SENDER, _CHANGE_SETUP),
    "40327": (_SENDER, _CHANGE_SETUP),  # domain of the URL shortener
    "40329": (_NUMBER, _("The toll-free number is not verified yet.")),
    "40330": (_NUMBER, _("The toll-free number is not set up for texting.")),
    "40331": (_SENDER, _("Texting to this country is not switched on at Telnyx.")),
    # The request: a bug of ours, or a number that cannot be texted.
    "10002": (_WRONG_NUMBER, _("This is not a phone number that can be texted. Correct the recipient's number.")),
    "10003": (_BUG, _OUR_BUG),  # invalid URL
    "10004": (_BUG, _OUR_BUG),  # missing parameter
    "10005": (_BUG, _OUR_BUG),  # not found
    "10006": (_BUG, _OUR_BUG),
    "10013": (_BUG, _OUR_BUG),
    "10014": (_BUG, _OUR_BUG),
    "10015": (_BUG, _OUR_BUG),  # bad request
    "10016": (_BUG, _OUR_BUG),
    "10017": (_BUG, _OUR_BUG),
    "10020": (_BUG, _OUR_BUG),
    "10022": (_BUG, _OUR_BUG),
    "10023": (_BUG, _OUR_BUG),
    "10024": (_BUG, _OUR_BUG),
    "10025": (_BUG, _OUR_BUG),
    "10026": (_BUG, _OUR_BUG),
    "10028": (_BUG, _OUR_BUG),
    "10029": (_BUG, _OUR_BUG),
    "10030": (_BUG, _OUR_BUG),
    "10032": (_BUG, _OUR_BUG),
    "10034": (_BUG, _OUR_BUG),
    "10033": (_WRONG_NUMBER, _("This is not a phone number that can be texted. Correct the recipient's number.")),
    "40301": (_PHONE, _("This phone cannot get a text of this kind.")),
    "40302": (_TEXT, _("The text is too long.")),
    "40303": (_BUG, _OUR_BUG),
    "40304": (_TEXT, _("Telnyx cannot send this text and these media together.")),
    "40310": (_WRONG_NUMBER, _("This is not a phone number that can be texted. Correct the recipient's number.")),
    "40316": (_TEXT, _("There is nothing in this text to send.")),
    "40317": (_TEXT, _("The pictures are too large (1 MB in all) or too many (ten).")),
    "40319": (_PHONE, _("This phone cannot get a text of this kind.")),
    "40322": (_TEXT, _("Telnyx blocked this text for its content.")),
    "40328": (_TEXT, _("The text is longer than carriers recommend.")),
    "40300": (Meaning(kind=Outcome.PERMANENT, opted_out=True, remedy=Remedy.NOTHING), _("The recipient sent STOP. Only their own START lets us text them again.")),
    # The key was used with other bytes: something was sent, and we cannot ask what became of it.
    "10027": (Meaning(kind=Outcome.AMBIGUOUS, final=True), _("Telnyx knows this text in another form. The text may have arrived.")),
    # It passes.
    "10007": (_RETRYABLE, _("Telnyx had an internal fault. The text did not arrive.")),
    "10037": (_RETRYABLE, _("Telnyx was not available. The text did not arrive.")),
    "40320": (_RETRYABLE, _("The sending number is so new that it cannot send yet. Retry in 15 minutes.")),
    "10008": (_AMBIGUOUS, _("Telnyx took too long. The text may have arrived.")),
    "10036": (_AMBIGUOUS, _("Telnyx was still busy with this text. It may have arrived.")),
    # Too much.
    "10011": (_TOO_MANY, _("Telnyx asked us to slow down for too long.")),
    "40318": (Meaning(kind=Outcome.THROTTLED, pause=120), _("Too many texts of this number wait at Telnyx already. Retry later.")),
    "40333": (Meaning(kind=Outcome.THROTTLED, whole_account=True, hold=True), _("The day's spending limit at Telnyx is reached. Retry after midnight UTC.")),
}

# Codes of reports: the provider took the text, and a carrier did not deliver it.
_REPORTS: dict[str, tuple[Remedy, str | Promise]] = {
    "40001": (Remedy.CALL_PERSON, _("This number gets no texts: it is a landline, or out of service.")),
    "40002": (Remedy.CHANGE_TEXT, _("The phone company took this text for spam.")),
    "40003": (Remedy.ASK_SUPPORT, _("Phone companies block our number as a sender of spam.")),
    "40004": (Remedy.CHECK_NUMBER, _("The phone company refused this text.")),
    "40005": (Remedy.WRITE_AGAIN, _("The text was on its way for too long, and expired.")),
    "40006": (Remedy.WRITE_AGAIN, _("The phone company could not be reached.")),
    "40007": (Remedy.ASK_SUPPORT, _("The phone companies passed this text on in a circle.")),
    "40008": (Remedy.CHECK_NUMBER, _("The phone company could not deliver this text, and named no reason.")),
    "40009": (Remedy.CHANGE_TEXT, _("The phone company could not read this text.")),
    "40010": (Remedy.ASK_SUPPORT, _("Our number is not registered for texts in the United States (10DLC).")),
    "40011": (Remedy.WRITE_AGAIN, _("The phone company had too many texts at that moment.")),
    "40012": (Remedy.CORRECT_NUMBER, _("This is not a phone number that can be texted. Correct the recipient's number.")),
    "40013": (Remedy.ASK_SUPPORT, _("The phone company does not accept our number.")),
    "40014": (Remedy.WRITE_AGAIN, _("The text waited too long at Telnyx, and expired.")),
    "40015": (Remedy.CHANGE_TEXT, _("Telnyx took this text for spam.")),
    "40016": (Remedy.WRITE_AGAIN, _("Our number has reached its limit of a day at T-Mobile.")),
    "40017": (Remedy.CHANGE_TEXT, _("AT&T took this text for spam.")),
    "40018": (Remedy.WRITE_AGAIN, _("Our number has reached its limit at AT&T.")),
    "40019": (Remedy.ASK_SUPPORT, _("AT&T does not accept the registration of our number.")),
    "40020": (Remedy.WRITE_AGAIN, _("Telnyx held this text back for a day.")),
}

_STATUSES: dict[int, tuple[Meaning, str | Promise]] = {
    401: (_ACCOUNT, _CALL_SUPPORT),
    402: (_ACCOUNT, _("Our account at Telnyx has no money left. Top it up; then retry.")),
    403: (_ACCOUNT, _CALL_SUPPORT),
    408: (_AMBIGUOUS, _("Telnyx took too long. The text may have arrived.")),
    409: (_AMBIGUOUS, _("Telnyx was still busy with this text. It may have arrived.")),
    425: (_RETRYABLE, _("Telnyx was not ready. The text did not arrive.")),
    429: (_TOO_MANY, _("Telnyx asked us to slow down for too long.")),
    503: (_RETRYABLE, _("Telnyx was not available. The text did not arrive.")),
}
# fmt: on

CODES = {code: known for code, (known, _sentence) in _TABLE.items()}
STATUSES = {status: known for status, (known, _sentence) in _STATUSES.items()}
EXPLANATIONS: dict[str, str | Promise] = {
    **{code: sentence for code, (_known, sentence) in _TABLE.items()},
    **{code: sentence for code, (_remedy, sentence) in _REPORTS.items()},
    **{f"http_{status}": sentence for status, (_known, sentence) in _STATUSES.items()},
    "http_400": _OUR_BUG,
    "http_404": _OUR_BUG,
    "http_422": _OUR_BUG,
    "http_500": _("Telnyx had an internal fault. The text may have arrived."),
    "http_502": _("Telnyx had an internal fault. The text may have arrived."),
    "http_504": _("Telnyx took too long. The text may have arrived."),
}

REMEDIES = {
    **{code: known.remedy for code, known in CODES.items()},
    **{code: remedy for code, (remedy, _sentence) in _REPORTS.items()},
    **dict.fromkeys(("http_400", "http_404", "http_422"), Remedy.ASK_SUPPORT),
    **dict.fromkeys(("http_500", "http_502", "http_504"), Remedy.ASK_PERSON),
}

SETUP_OF_THE_NUMBER = frozenset(
    code for code, known in CODES.items() if known.kind == Outcome.CONFIGURATION
) | {"40003"}
"""Codes that blame the sending number or the account, also in a webhook (40003: the carriers blocked
the number permanently)."""
STOPPED = "40300"
"""The recipient sent STOP."""


def remedies() -> dict[str, Remedy]:
    """Return the remedy of each code with a sentence."""
    kinds = {code: known.kind for code, known in CODES.items()}
    kinds |= {f"http_{status}": known.kind for status, known in STATUSES.items()}
    return {
        code: REMEDIES.get(code) or by_class(kinds[code].value if code in kinds else "")
        for code in EXPLANATIONS
    }


def meaning(http_status: int, code: str, *, from_telnyx: bool) -> Meaning:
    """Return the meaning of an unsuccessful answer.

    An unknown code falls back to its status: 4xx is permanent; after a 5xx Telnyx may have taken the
    text, unless Telnyx itself (``from_telnyx``: an error body of its form) says that it failed.
    """
    if code in CODES:
        return CODES[code]
    if http_status in STATUSES:
        return STATUSES[http_status]
    if http_status >= 500:
        return _RETRYABLE if http_status == 500 and from_telnyx else _AMBIGUOUS
    if http_status >= 400:
        return _PERMANENT
    return _AMBIGUOUS
