"""Every fault by name, and the magic numbers of Twilio's test credentials.

A refusal accepts nothing. A spoiling accepts the text and breaks the answer. A twist changes the later
statuses of an accepted text and its callbacks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from delivery.providers.simulator import faults
from delivery.providers.simulator.faults import (
    ConnectionRefused,
    Fault,
    FaultTable,
    Refusal,
    Spoiling,
    twist,
)
from delivery.providers.simulator.server import HANG_UP, Answer
from delivery.providers.twilio.simulator.errors import ASYNCHRONOUS, SYNCHRONOUS, error_answer

_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Oops</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Fate(faults.Fate):
    """The path of an accepted text, and of its callbacks."""

    code: int | None = None
    bare_copy: bool = False
    """Repeat the last callback without ErrorCode."""


def _html(status: int) -> Answer:
    return Answer(status=status, body=_HTML, content_type="text/html")


_REFUSALS: list[Fault] = [
    *(
        Refusal(name=str(code), meaning=f"HTTP {status}, {title}", answer=error_answer(code))
        for code, (status, title) in SYNCHRONOUS.items()
    ),
    Refusal(name="429", meaning="HTTP 429, code 20429", answer=error_answer(20429)),
    Refusal(
        name="429_with_retry_after",
        meaning="HTTP 429 with Retry-After",
        answer=replace(error_answer(20429), headers={"Retry-After": "2"}),
    ),
    Refusal(name="429_html", meaning="HTTP 429, HTML body", answer=_html(429)),
    Refusal(name="400_html", meaning="HTTP 400, HTML body", answer=_html(400)),
    Refusal(name="400_unknown", meaning="HTTP 400, a code of the future", answer=Answer(
        status=400, body=b'{"code":21999,"message":"New","more_info":"","status":400}'
    )),
    Refusal(name="500", meaning="HTTP 500, nothing created", answer=error_answer(20500)),
    Refusal(name="502_html", meaning="HTTP 502, HTML body", answer=_html(502)),
    Refusal(name="503", meaning="HTTP 503, code 20503", answer=error_answer(20503)),
    Refusal(name="503_html", meaning="HTTP 503, HTML body", answer=_html(503)),
    Refusal(name="503_empty", meaning="HTTP 503, empty body", answer=Answer(status=503)),
    Refusal(name="close", meaning="read, not created, closed without an answer", answer=HANG_UP),
    ConnectionRefused(),
]  # fmt: skip

_SPOILINGS: list[Fault] = [
    Spoiling(name="drop", meaning="created, then closed without an answer", answer=HANG_UP),
    Spoiling(name="slow", meaning="created, answered after 12 s (seconds)", seconds=12),
    Spoiling(name="hang", meaning="created, closed after 60 s (seconds)", seconds=60, answer=HANG_UP),
    Spoiling(
        name="broken_json", meaning="created, 201 with half a body",
        answer=Answer(status=201, body=b'{"sid":"SM'),
    ),
    Spoiling(
        name="no_sid", meaning="created, 201 without a sid",
        answer=Answer(status=201, body=b'{"status":"queued"}'),
    ),
    Spoiling(
        name="xml", meaning="created, 201 with XML",
        answer=Answer(status=201, body=b"<TwilioResponse/>", content_type="application/xml"),
    ),
    Spoiling(
        name="created_500", meaning="created, then HTTP 500", answer=error_answer(20500)
    ),
    Spoiling(name="created_504", meaning="created, then HTTP 504 with HTML", answer=_html(504)),
]  # fmt: skip


_TWISTS: list[Fault] = [
    twist("duplicated", "each callback twice, at once", copies=2),
    twist("reordered", "the last callback before sent", reordered=True),
    twist("delayed", "callbacks 5 s late (seconds)", delay=5.0),
    twist("lost", "delivered, and no callback says so", lost=True),
    twist("stays_sent", "sent is the last status", status="sent"),
    twist("callback_first", "all callbacks before the POST is answered", before_answer=True),
    twist("unknown_field", "callbacks with an unknown field", unknown_field=True),
    twist("undelivered", "the carrier fails: 30003 (code)", status="undelivered", code=30003),
    twist("undelivered_bare", "the carrier fails, no ErrorCode", status="undelivered"),
    twist(
        "undelivered_then_bare", "the carrier fails: 30005 (code), then a copy without ErrorCode",
        status="undelivered", code=30005, bare_copy=True,
    ),
    twist("failed", "it never leaves Twilio: 30008 (code)", status="failed", code=30008),
    twist("expired", "ValidityPeriod ran out: 30036", status="failed", code=30036),
    twist("canceled", "canceled before sending", status="canceled"),
    twist("bad_signature", "callbacks signed with another token", signature="bad"),
    twist("missing_signature", "callbacks without a signature", signature="missing"),
]  # fmt: skip

FAULTS = FaultTable((*_REFUSALS, *_SPOILINGS, *_TWISTS), ASYNCHRONOUS)
fault = FAULTS.shaped

_MAGIC = "+1500555"
GOOD_SENDER = "+15005550006"
MAGIC_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
"""Number to the code that refuses it. Here they work with every credential."""


def code_of_sender(number: str) -> int | None:
    if not number.startswith(_MAGIC) or number == GOOD_SENDER:
        return None
    return MAGIC_SENDERS.get(number, 21606)


def table() -> str:
    """Return every magic number and its effect, for ``--help``."""
    lines = [
        f"  to   {number}  {code}  {SYNCHRONOUS[code][1]}"
        for number, code in MAGIC_RECIPIENTS.items()
    ]
    lines.append(f"  from {GOOD_SENDER}  good")
    lines += [
        f"  from {number}  {code}  {SYNCHRONOUS[code][1]}" for number, code in MAGIC_SENDERS.items()
    ]
    return "\n".join(lines)
