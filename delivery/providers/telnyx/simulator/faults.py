"""Every fault by name, in three kinds: refusals of a request, damaged answers to an accepted
request, and failures of the text and its webhooks afterwards."""

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
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.codes import ASYNCHRONOUS, SYNCHRONOUS

_RETRY_AFTER = "1"


@dataclass(frozen=True, kw_only=True)
class Fate(faults.Fate):
    """The path of an accepted text; ``signature`` may be ``stale`` too."""

    code: str = ""
    """The code in the finalized event's ``errors[]``; empty: no errors."""
    finalized: bool = True
    unknown_event: bool = False
    has_cost: bool = True


def _codes() -> list[Fault]:
    return [
        Refusal(name=code, meaning=f"HTTP {status}, {title}", answer=_refusal_of(code))
        for code, (status, title) in SYNCHRONOUS.items()
    ]


def _refusal_of(code: str) -> Answer:
    answer = RefusedError(code).answer
    return replace(answer, headers={"retry-after": _RETRY_AFTER}) if code == "10011" else answer


def _server_errors() -> list[Fault]:
    html = b"<html><head><title>Bad gateway</title></head><body><h1>Oops</h1></body></html>"
    errors: list[Fault] = []
    for status in (500, 502, 503, 504):
        code = "10037" if status == 503 else "10007"
        bodies = {
            str(status): RefusedError(code, status=status).answer,
            f"{status}_html": Answer(status=status, body=html, content_type="text/html"),
            f"{status}_empty": Answer(status=status),
        }
        for (name, answer), kind in zip(bodies.items(), ("JSON", "HTML", "empty"), strict=True):
            errors.append(Refusal(name=name, meaning=f"HTTP {status}, {kind} body", answer=answer))
    return errors


_REFUSALS: list[Fault] = [
    *_codes(),
    *_server_errors(),
    Refusal(name="429", meaning="HTTP 429 with retry-after", answer=_refusal_of("10011")),
    Refusal(
        name="429_without_retry_after",
        meaning="HTTP 429 without retry-after",
        answer=RefusedError("10011").answer,
    ),
    Refusal(name="close", meaning="read, not accepted, closed without an answer", answer=HANG_UP),
    ConnectionRefused(),
]

_SPOILINGS: list[Fault] = [
    Spoiling(name="drop", meaning="accepted, then closed without an answer", answer=HANG_UP),
    Spoiling(name="slow", meaning="accepted, answered after 12 s (seconds)", seconds=12),
    Spoiling(
        name="broken_json",
        meaning="accepted, 200 with half a body",
        answer=Answer(body=b'{"data":{"id":"40'),
    ),
    Spoiling(
        name="no_id",
        meaning="accepted, 200 without an id",
        answer=Answer(body=b'{"data":{"record_type":"message"}}'),
    ),
    Spoiling(
        name="accepted_504",
        meaning="accepted, then HTTP 504 with an HTML body",
        answer=Answer(status=504, body=b"<html>Gateway timeout</html>", content_type="text/html"),
    ),
]


_TWISTS: list[Fault] = [
    twist("duplicated", "each webhook twice, at once", copies=2),
    twist("reordered", "finalized before sent", reordered=True),
    twist("delayed", "webhooks 5 s late (seconds)", delay=5.0),
    twist("lost", "delivered, and no webhook says so", lost=True),
    twist(
        "no_finalized", "ends in sent, without a finalized event", finalized=False, status="sent"
    ),
    twist("webhook_first", "both webhooks before the POST is answered", before_answer=True),
    twist("unknown_event", "one more event, of an unknown type", unknown_event=True),
    twist("unknown_field", "events and payloads with an unknown field", unknown_field=True),
    twist("delivery_unconfirmed", "the carrier never confirms", status="delivery_unconfirmed"),
    twist(
        "delivery_failed", "the carrier fails: 40008 (code)", status="delivery_failed", code="40008"
    ),
    twist("delivery_failed_bare", "the carrier fails, errors[] empty", status="delivery_failed"),
    twist(
        "sending_failed", "never handed over: 40014 (code)", status="sending_failed", code="40014"
    ),
    twist("expired", "its validity ran out: 40005 (code)", status="expired", code="40005"),
    twist("bad_signature", "webhooks signed with another key", signature="bad"),
    twist("stale_signature", "webhooks signed ten minutes ago", signature="stale"),
    twist("missing_signature", "webhooks without signature headers", signature="missing"),
    twist("cost_null", "cost is null until the end", has_cost=False),
    *(
        twist(code, f"delivery_failed, {title}", status="delivery_failed", code=code)
        for code, (_, title) in ASYNCHRONOUS.items()
    ),
]

FAULTS = FaultTable((*_REFUSALS, *_SPOILINGS, *_TWISTS), ASYNCHRONOUS)
fault = FAULTS.shaped
