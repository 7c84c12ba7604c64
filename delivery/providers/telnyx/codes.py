"""The one table of Telnyx codes: what each means for a message that we are handing over.

Sources: developers.telnyx.com/api/errors/<code>, "Messaging error code reference", "Configurable
spend limits", "Idempotency". The code decides; the HTTP status only where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from delivery.models import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    outcome: Outcome
    whole_account: bool = False
    opted_out: bool = False
    final: bool = False
    pause: float | None = None
    """Seconds to stay away where the answer names none."""
    hold: bool = False
    """Nothing more through this account: until a person acts, or (throttled) midnight UTC."""


_PERMANENT = Meaning(outcome=Outcome.PERMANENT)
_SENDER = Meaning(outcome=Outcome.CONFIGURATION)
"""The number may not send this text; it may send others."""
_NUMBER = Meaning(outcome=Outcome.CONFIGURATION, pause=10)
"""The number may send nothing: its other texts wait, so that they do not fail one by one."""
_ACCOUNT = Meaning(outcome=Outcome.CONFIGURATION, whole_account=True, hold=True)
_RETRYABLE = Meaning(outcome=Outcome.RETRYABLE)
_AMBIGUOUS = Meaning(outcome=Outcome.AMBIGUOUS)
_TOO_MANY = Meaning(outcome=Outcome.THROTTLED, whole_account=True, pause=1)

CODES: dict[str, Meaning] = {
    # The account or its key.
    "10009": _ACCOUNT,  # authentication failed
    "10010": _ACCOUNT,  # not authorised
    "20001": _ACCOUNT,  # key secret invalid
    "20002": _ACCOUNT,  # key revoked
    "20003": _ACCOUNT,  # key forbidden
    "20005": _ACCOUNT,  # user invalid
    "20006": _ACCOUNT,  # key expired
    "20008": _ACCOUNT,  # key invalid
    "20009": _ACCOUNT,  # user does not exist
    "20012": _ACCOUNT,  # account inactive
    "20013": _ACCOUNT,  # account blocked
    "20014": _ACCOUNT,  # account not verified, and the next three
    "20015": _ACCOUNT,
    "20016": _ACCOUNT,
    "20017": _ACCOUNT,
    "20100": _ACCOUNT,  # insufficient funds
    "40311": _ACCOUNT,  # profile secret
    "40312": _ACCOUNT,  # messaging profile disabled
    "40313": _ACCOUNT,
    "40314": _ACCOUNT,  # messaging disabled on the account
    # The sending number, or what it may do.
    "10001": _NUMBER,  # inactive phone number
    "10035": _NUMBER,  # resource locked: contact support
    "10038": _SENDER,  # feature not permitted at this account level
    "10039": _SENDER,  # feature limited at this account level
    "40010": _NUMBER,  # not registered for 10DLC
    "40013": _NUMBER,  # invalid source number
    "40019": _NUMBER,  # AT&T tag data: campaign and number do not match
    "40100": _NUMBER,  # not enabled for messaging
    "40150": _NUMBER,  # toll-free number not in the registry (OSR), and its kind
    "40151": _NUMBER,  # another provider is enabling it
    "40152": _NUMBER,
    "40153": _NUMBER,
    "40154": _NUMBER,
    "40155": _NUMBER,  # letter of authorization required
    "40156": _NUMBER,
    "40157": _NUMBER,
    "40158": _NUMBER,
    "40159": _NUMBER,
    "40305": _NUMBER,  # invalid 'from': not on the messaging profile
    "40306": _SENDER,  # alphanumeric sender
    "40307": _SENDER,
    "40308": _SENDER,  # cannot send MMS
    "40309": _SENDER,  # destination region not whitelisted
    "40315": _NUMBER,  # unhealthy 'from'
    "40321": _NUMBER,  # no usable number in the pool
    "40323": _NUMBER,  # could not enable messaging on the number
    "40324": _NUMBER,  # could not change the product types of the number
    "40325": _SENDER,
    "40326": _SENDER,
    "40327": _SENDER,  # domain of the URL shortener
    "40329": _NUMBER,  # toll-free number not verified
    "40330": _NUMBER,  # toll-free number not provisioned
    "40331": _SENDER,  # whitelist missing
    # The request: a bug of ours, or a number that cannot be texted.
    "10002": _PERMANENT,  # invalid phone number
    "10003": _PERMANENT,  # invalid URL
    "10004": _PERMANENT,  # missing parameter
    "10005": _PERMANENT,  # not found
    "10006": _PERMANENT,
    "10013": _PERMANENT,
    "10014": _PERMANENT,
    "10015": _PERMANENT,  # bad request
    "10016": _PERMANENT,
    "10017": _PERMANENT,
    "10020": _PERMANENT,
    "10022": _PERMANENT,
    "10023": _PERMANENT,
    "10024": _PERMANENT,
    "10025": _PERMANENT,
    "10026": _PERMANENT,
    "10028": _PERMANENT,
    "10029": _PERMANENT,
    "10030": _PERMANENT,
    "10032": _PERMANENT,
    "10034": _PERMANENT,
    "10033": _PERMANENT,
    "40301": _PERMANENT,  # message type unsupported by 'to'
    "40302": _PERMANENT,  # too many parts
    "40303": _PERMANENT,
    "40304": _PERMANENT,  # combination of contents
    "40310": _PERMANENT,  # invalid 'to'
    "40316": _PERMANENT,  # no content
    "40317": _PERMANENT,  # MMS too large
    "40319": _PERMANENT,  # message type incompatible with 'to'
    "40322": _PERMANENT,  # blocked content
    "40328": _PERMANENT,  # exceeds the recommended size
    "40300": Meaning(outcome=Outcome.PERMANENT, opted_out=True),  # the recipient sent STOP
    # The key was used with other bytes: something was sent, and we cannot ask what became of it.
    "10027": Meaning(outcome=Outcome.AMBIGUOUS, final=True),
    # It passes.
    "10007": _RETRYABLE,  # unexpected error
    "10037": _RETRYABLE,  # service unavailable
    "40320": _RETRYABLE,  # 'from' temporarily unusable
    "10008": _AMBIGUOUS,  # request timeout
    "10036": _AMBIGUOUS,  # the same key is being processed: the same key again
    # Too much.
    "10011": _TOO_MANY,
    "40318": Meaning(outcome=Outcome.THROTTLED, pause=120),  # this number's queue is full
    "40333": Meaning(outcome=Outcome.THROTTLED, whole_account=True, hold=True),  # daily spend limit
}

STATUSES: dict[int, Meaning] = {
    401: _ACCOUNT,
    402: _ACCOUNT,
    403: _ACCOUNT,
    408: _AMBIGUOUS,
    409: _AMBIGUOUS,  # a key in progress, most likely; a STOP has its code
    425: _RETRYABLE,
    429: _TOO_MANY,
    503: _RETRYABLE,
}


SETUP_OF_THE_NUMBER = frozenset(
    code for code, known in CODES.items() if known.outcome == Outcome.CONFIGURATION
) | {"40003"}
"""Codes that blame the sending number or the account, also where a webhook brings them (40003: the
carriers blocked the number for good)."""


def meaning(http_status: int, code: str, *, from_telnyx: bool) -> Meaning:
    """The meaning of an answer that is no success.

    An unknown code falls back to its status: 4xx will never do; after a 5xx the text may have been
    taken, unless Telnyx itself (``from_telnyx``: an error body of its form) says that it failed.
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
