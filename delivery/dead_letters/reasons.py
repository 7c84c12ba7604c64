"""One table: what a code means, in words that an office understands."""

from __future__ import annotations

_ACCOUNT = "Our account at Telnyx may not send now. Support must put it right; then retry."
_SENDER = "The church's number may not send this text. Its setup at Telnyx needs a change."
_BUG = "Telnyx did not understand our request. This is a fault of ours: tell the developers."

EXPLANATIONS = {
    # Ours.
    "answer_lost": "The connection broke before Telnyx answered. The text may have arrived.",
    "connection_failed": "Telnyx could not be reached, four times. The text did not arrive.",
    "worker_lost": "Our worker stopped during the call. The text may have arrived.",
    "unreadable_answer": "Telnyx answered with something unreadable. The text may have arrived.",
    "id_given_twice": "Telnyx gave an id that another text has. The text may have arrived.",
    "crash_loop": "Our worker stopped each time it took this text. Tell the developers.",
    "expired": "It could not be sent before it was too old.",
    "http_400": _BUG,
    "http_401": _ACCOUNT,
    "http_402": "Our account at Telnyx has no money left. Retry after it was topped up.",
    "http_403": _ACCOUNT,
    "http_404": _BUG,
    "http_408": "Telnyx took too long. The text may have arrived.",
    "http_422": _BUG,
    "http_429": "Telnyx asked us to slow down for too long.",
    "http_409": "Telnyx was still busy with this text. It may have arrived.",
    "http_425": "Telnyx was not ready. The text did not arrive.",
    "http_500": "Telnyx had a fault of its own. The text may have arrived.",
    "http_502": "Telnyx had a fault of its own. The text may have arrived.",
    "http_503": "Telnyx was not available. The text did not arrive.",
    "http_504": "Telnyx took too long. The text may have arrived.",
    # Telnyx's.
    "10002": "This is not a phone number that can be texted. Correct the member's number.",
    "10003": _BUG,
    "10004": _BUG,
    "10005": _BUG,
    "10007": "Telnyx had a fault of its own. The text did not arrive.",
    "10008": "Telnyx took too long. The text may have arrived.",
    "10009": _ACCOUNT,
    "10010": _ACCOUNT,
    "10011": "Telnyx asked us to slow down for too long.",
    "10015": _BUG,
    "10016": _BUG,
    "10023": _BUG,
    "10025": _BUG,
    "10026": _BUG,
    "10027": "Telnyx knows this text in another form. The text may have arrived.",
    "10032": _BUG,
    "10033": "This is not a phone number that can be texted. Correct the member's number.",
    "10036": "Telnyx was still busy with this text. It may have arrived.",
    "10037": "Telnyx was not available. The text did not arrive.",
    "20002": _ACCOUNT,
    "20006": _ACCOUNT,
    "20008": _ACCOUNT,
    "20012": _ACCOUNT,
    "20013": _ACCOUNT,
    "20014": _ACCOUNT,
    "20015": _ACCOUNT,
    "20016": _ACCOUNT,
    "20017": _ACCOUNT,
    "20100": "Our account at Telnyx has no money left. Retry after it was topped up.",
    "40300": "The member sent STOP. Only their own START lets us text them again.",
    "40301": "This phone cannot get a text of this kind.",
    "40302": "The text is too long.",
    "40303": _BUG,
    "40304": "Telnyx cannot send this text and these media together.",
    "40305": "The church's number is not set up for texting at Telnyx.",
    "40306": _SENDER,
    "40307": _SENDER,
    "40308": "The church's number cannot send pictures.",
    "40309": "Texting to this country is not switched on at Telnyx.",
    "40310": "This is not a phone number that can be texted. Correct the member's number.",
    "40311": _ACCOUNT,
    "40312": _ACCOUNT,
    "40313": _ACCOUNT,
    "40314": _ACCOUNT,
    "40315": "Carriers distrust the church's number. Telnyx must look into it.",
    "40316": "There is nothing in this text to send.",
    "40317": "The pictures are too large (1 MB in all) or too many (ten).",
    "40318": "Too many texts of this church's number wait at Telnyx already. Retry later.",
    "40319": "This phone cannot get a text of this kind.",
    "40320": "The church's number is so new that it cannot send yet. Retry in 15 minutes.",
    "40321": _SENDER,
    "40322": "Telnyx blocked this text for its content.",
    "40325": _SENDER,
    "40328": "The text is longer than carriers recommend.",
    "40329": "The church's toll-free number is not verified yet.",
    "40330": "The church's toll-free number is not set up for texting.",
    "40331": "Texting to this country is not switched on at Telnyx.",
    "40333": "The day's spending limit at Telnyx is reached. Retry after midnight UTC.",
}


def explain(code: str) -> str:
    """A sentence about ``code``."""
    if not code:
        return "No reason was given."
    return EXPLANATIONS.get(code, f"Telnyx refused it with code {code}, which we do not know yet.")
