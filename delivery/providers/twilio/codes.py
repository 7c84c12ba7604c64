"""Twilio's error codes in one table: the meaning for a text, and a sentence for support.

Source: twilio.com/docs/api/errors/<code>. Twilio warns that the cause behind a code may change, so an
unknown code is harmless: the HTTP status decides. Codes from 30001 on arrive in status callbacks and
look-ups; the others answer a call, or arrive late where a Messaging Service sends.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.models import Outcome
from delivery.remedies import Remedy, by_class


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    outcome: Outcome
    sentence: str | Promise = ""
    whole_account: bool = False
    opted_out: bool = False
    pause: float | None = None
    """Seconds to pause where the answer names none."""
    hold: bool = False
    """Stop sending through this account until a person acts or ``pause`` is over."""
    remedy: Remedy | None = None
    """None: the remedy of ``outcome``."""


def _permanent(sentence: str | Promise, remedy: Remedy | None = None) -> Meaning:
    return Meaning(outcome=Outcome.PERMANENT, sentence=sentence, remedy=remedy)


def _wrong_number(sentence: str | Promise) -> Meaning:
    return _permanent(sentence, Remedy.CORRECT_NUMBER)


def _bad_text(sentence: str | Promise) -> Meaning:
    return _permanent(sentence, Remedy.CHANGE_TEXT)


def _sender(sentence: str | Promise) -> Meaning:
    """Return the meaning for a number that may not send this text, but other texts."""
    return Meaning(outcome=Outcome.CONFIGURATION, sentence=sentence)


def _number(sentence: str | Promise) -> Meaning:
    """Return the meaning for a number that may not send: its next texts wait, to save failures."""
    return Meaning(outcome=Outcome.CONFIGURATION, sentence=sentence, pause=10)


def _account(sentence: str | Promise) -> Meaning:
    return Meaning(outcome=Outcome.CONFIGURATION, sentence=sentence, whole_account=True, hold=True)


def _throttled(sentence: str | Promise, pause: float, *, whole_account: bool = False) -> Meaning:
    return Meaning(
        outcome=Outcome.THROTTLED, sentence=sentence, pause=pause, whole_account=whole_account
    )


def _retryable(sentence: str | Promise) -> Meaning:
    return Meaning(outcome=Outcome.RETRYABLE, sentence=sentence)


def _ambiguous(sentence: str | Promise) -> Meaning:
    return Meaning(outcome=Outcome.AMBIGUOUS, sentence=sentence)


_SUSPENDED = _account(
    _("Our account at Twilio is suspended. Support must talk to Twilio; then retry.")
)
_NO_RIGHT = _account(_("Our key at Twilio may not send texts. Support must change it; then retry."))
_BUG = _permanent(
    _("Twilio did not understand our request. Tell the developers."), Remedy.ASK_SUPPORT
)
_NOT_A_PHONE = _wrong_number(_("This number cannot be texted. Correct the member's number."))
_SERVICE = _number(_("The messaging service at Twilio is not set up for this number."))
_UNSUPPORTED = _permanent(
    _("This phone or its carrier cannot get a text of this kind."), Remedy.CALL_PERSON
)
_BUSY_DAY = _throttled(_("The carriers' limit for one day is reached. Retry tomorrow."), 3600)

OPTED_OUT = 21610
EXPIRED = 30036

CODES: dict[int, Meaning] = {
    # The account or its key.
    10001: _SUSPENDED,
    20003: _account(
        _("Twilio does not accept our key, or the account is closed. Support must act.")
    ),
    20005: _SUSPENDED,
    20006: _NO_RIGHT,
    20008: _account(_("These are Twilio's test credentials: they send nothing. Support must act.")),
    20010: _NO_RIGHT,
    20403: _SUSPENDED,
    20404: _account(
        _("Twilio does not know the account in our settings. Support must correct it.")
    ),
    21608: _account(
        _("The trial account at Twilio may not text this number. Upgrade it; then retry.")
    ),
    70051: _NO_RIGHT,
    90010: _SUSPENDED,
    30002: _SUSPENDED,
    # The sending number, or its rights.
    21212: _number(_("The sending number is not valid at Twilio.")),
    21408: _sender(_("Texting to this country is not switched on at Twilio.")),
    21601: _number(_("The sending number cannot send texts at Twilio.")),
    21603: _number(_("No sending number was given to Twilio.")),
    21606: _number(_("The sending number does not belong to our account at Twilio.")),
    21607: _number(_("The sending number does not belong to our account at Twilio.")),
    21609: _sender(_("Twilio cannot call our address for reports. Support must check PUBLIC_URL.")),
    21621: _sender(_("The sending number cannot send pictures.")),
    21622: _sender(_("Our account at Twilio cannot send pictures.")),
    21624: _BUG,
    21660: _number(_("The sending number does not belong to our account at Twilio.")),
    21701: _SERVICE,
    21702: _SERVICE,
    21703: _SERVICE,
    21704: _SERVICE,
    21705: _SERVICE,
    21709: _SERVICE,
    30018: _number(_("The sending number must be registered for this country first.")),
    30024: _number(_("The sending number is not set up at the carrier yet. Retry later.")),
    30032: _number(_("The toll-free sending number is not verified yet.")),
    30034: _number(_("The sending number is not registered for texting (10DLC).")),
    30042: _number(_("The carrier refuses this sender's name.")),
    # The recipient.
    OPTED_OUT: Meaning(
        outcome=Outcome.PERMANENT,
        opted_out=True,
        remedy=Remedy.NOTHING,
        sentence=_("The member sent STOP. Only their own START lets us text them again."),
    ),
    21211: _NOT_A_PHONE,
    21612: _permanent(
        _("Twilio cannot reach this phone from the sending number."), Remedy.CALL_PERSON
    ),
    21614: _NOT_A_PHONE,
    21635: _wrong_number(_("This is a landline. Correct the member's number.")),
    30003: _retryable(_("The phone was off or out of reach. Retry later.")),
    30004: _permanent(_("The phone or its carrier blocks this text."), Remedy.CALL_PERSON),
    30005: _wrong_number(_("The carrier does not know this number. Correct the member's number.")),
    30006: _wrong_number(
        _("This is a landline, or its carrier takes no texts. Correct the number.")
    ),
    # The text.
    21602: _bad_text(_("There is nothing in this text to send.")),
    21604: _BUG,
    21617: _bad_text(_("The text is longer than Twilio's 1,600 characters.")),
    21618: _bad_text(_("Twilio refuses the content of this text.")),
    21619: _bad_text(_("There is nothing in this text to send.")),
    21620: _bad_text(_("Twilio cannot fetch the picture at its address.")),
    21623: _bad_text(_("The text has more than ten pictures.")),
    21654: _BUG,
    21655: _BUG,
    21656: _BUG,
    21657: _BUG,
    21658: _BUG,
    30007: _bad_text(_("Twilio or the carrier took this text for spam. Change its words.")),
    30009: _UNSUPPORTED,
    30010: _permanent(
        _("The text costs more than the limit that is set at Twilio."), Remedy.ASK_SUPPORT
    ),
    30011: _UNSUPPORTED,
    30012: _BUG,
    30013: _BUG,
    30014: _BUG,
    30015: _BUG,
    30016: _BUG,
    30019: _bad_text(_("The pictures are too large for the carrier.")),
    30028: _BUG,
    30029: _BUG,
    30030: _BUG,
    30031: _BUG,
    35114: _BUG,
    35115: _BUG,
    35116: _BUG,
    35117: _BUG,
    35118: _BUG,
    EXPIRED: _permanent(_("The text expired before Twilio could send it."), Remedy.WRITE_AGAIN),
    # A later call may succeed.
    20503: _retryable(_("Twilio was not available. The text did not arrive.")),
    30017: _retryable(_("The carrier's network was too busy. Retry later.")),
    30410: _retryable(_("The carrier did not answer in time. The text may have arrived.")),
    30500: _retryable(_("Twilio had an internal fault. Retry later.")),
    # Twilio may have sent the text.
    20500: _ambiguous(_("Twilio had an internal fault. The text may have arrived.")),
    30008: _ambiguous(_("Twilio does not know why the text failed. It may have arrived.")),
    # Too many texts at a time.
    20429: _throttled(_("Twilio asked us to slow down for too long."), 1, whole_account=True),
    21611: _throttled(_("Too many texts of this number wait at Twilio already. Retry later."), 300),
    30001: _throttled(_("Too many texts of this number wait at Twilio already. Retry later."), 300),
    30022: _throttled(_("The number sends faster than the carriers allow. Retry later."), 60),
    30023: _BUSY_DAY,
    30027: _BUSY_DAY,
    63017: _throttled(_("Our account sends faster than Twilio allows."), 1, whole_account=True),
    63018: _throttled(_("The number sends faster than its channel allows. Retry later."), 60),
    63038: Meaning(
        outcome=Outcome.THROTTLED,
        whole_account=True,
        hold=True,
        pause=3600,
        sentence=_("Our account's limit of texts per day at Twilio is reached. Retry tomorrow."),
    ),
}

_ACCOUNT_REFUSED = _account(
    _("Our account at Twilio may not send now. Support must act; then retry.")
)
_SERVER_ERROR = _ambiguous(_("Twilio had an internal fault. The text may have arrived."))

STATUSES: dict[int, Meaning] = {
    401: _ACCOUNT_REFUSED,
    402: _ACCOUNT_REFUSED,
    403: _ACCOUNT_REFUSED,
    408: _ambiguous(_("Twilio took too long. The text may have arrived.")),
    409: _ambiguous(_("Twilio was still busy with this text. It may have arrived.")),
    429: CODES[20429],
}


def meaning(http_status: int, code: int | None) -> Meaning:
    """Return the meaning of a failed call: by its code, else by its HTTP status.

    An unknown 4xx is permanent. After an unknown 5xx, and after a redirect, Twilio may have
    sent the text.
    """
    if code is not None and code in CODES:
        return CODES[code]
    if http_status in STATUSES:
        return STATUSES[http_status]
    return _BUG if 400 <= http_status < 500 else _SERVER_ERROR


def explain(code: str) -> str:
    """Return the sentence about ``code``; empty for an unknown one."""
    known = _known(code)
    return str(known.sentence) if known else ""


def remedy(code: str) -> Remedy | None:
    known = _known(code)
    return known.remedy if known else None


def _known(code: str) -> Meaning | None:
    return CODES.get(int(code)) if code.isascii() and code.isdigit() else None


def blames_the_sender(code: int | None) -> bool:
    """Return whether the sending number or the account caused a failed delivery."""
    known = CODES.get(code) if code is not None else None
    return known is not None and known.outcome == Outcome.CONFIGURATION


def remedies() -> dict[str, Remedy]:
    """Return the remedy of each code with a sentence."""
    return {
        str(code): known.remedy or by_class(known.outcome.value) for code, known in CODES.items()
    }
