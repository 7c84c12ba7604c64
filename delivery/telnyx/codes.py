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
_ACCOUNT = Meaning(outcome=Outcome.CONFIGURATION, whole_account=True, hold=True)
_RETRYABLE = Meaning(outcome=Outcome.RETRYABLE)
_AMBIGUOUS = Meaning(outcome=Outcome.AMBIGUOUS)
_TOO_MANY = Meaning(outcome=Outcome.THROTTLED, whole_account=True, pause=1)

CODES: dict[str, Meaning] = {
    # The account or its key.
    "10009": _ACCOUNT,  # authentication failed
    "10010": _ACCOUNT,  # not authorised
    "20002": _ACCOUNT,  # key revoked
    "20006": _ACCOUNT,  # key expired
    "20008": _ACCOUNT,  # key invalid
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
    "40305": _SENDER,  # invalid 'from': not on the messaging profile
    "40306": _SENDER,  # alphanumeric sender
    "40307": _SENDER,
    "40308": _SENDER,  # cannot send MMS
    "40309": _SENDER,  # destination region not whitelisted
    "40315": _SENDER,  # unhealthy 'from'
    "40321": _SENDER,  # no usable number in the pool
    "40325": _SENDER,
    "40329": _SENDER,  # toll-free number not verified
    "40330": _SENDER,  # toll-free number not provisioned
    "40331": _SENDER,  # whitelist missing
    # The request: a bug of ours, or a number that cannot be texted.
    "10002": _PERMANENT,  # invalid phone number
    "10003": _PERMANENT,  # invalid URL
    "10004": _PERMANENT,  # missing parameter
    "10005": _PERMANENT,  # not found
    "10015": _PERMANENT,  # bad request
    "10016": _PERMANENT,
    "10023": _PERMANENT,
    "10025": _PERMANENT,
    "10026": _PERMANENT,
    "10032": _PERMANENT,
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
