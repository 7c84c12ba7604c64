"""Every fault by name, in three kinds: refusals of a request, damaged answers to an accepted
request, and failures of the text and its webhooks afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from delivery.providers.simulator.faults import ConnectionRefused, Fault, Refusal, Spoiling, Twist
from delivery.providers.simulator.server import HANG_UP, Answer
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.codes import ASYNCHRONOUS, SYNCHRONOUS

_RETRY_AFTER = "1"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """The path of an accepted text and of the webhooks about it."""

    status: str = "delivered"
    code: str = ""
    """The code in the finalized event's ``errors[]``; empty: no errors."""
    copies: int = 1
    reordered: bool = False
    delay: float = 0
    lost: bool = False
    finalized: bool = True
    before_answer: bool = False
    unknown_event: bool = False
    unknown_field: bool = False
    signature: str = "good"
    """The signature: ``good``, ``bad``, ``stale`` or ``missing``."""
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
    faults: list[Fault] = []
    for status in (500, 502, 503, 504):
        code = "10037" if status == 503 else "10007"
        bodies = {
            str(status): RefusedError(code, status=status).answer,
            f"{status}_html": Answer(status=status, body=html, content_type="text/html"),
            f"{status}_empty": Answer(status=status),
        }
        for (name, answer), kind in zip(bodies.items(), ("JSON", "HTML", "empty"), strict=True):
            faults.append(Refusal(name=name, meaning=f"HTTP {status}, {kind} body", answer=answer))
    return faults


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


def _twist(name: str, meaning: str, **changes: Any) -> Fault:
    return Twist(name=name, meaning=meaning, changes=changes)


_TWISTS: list[Fault] = [
    _twist("duplicated", "each webhook twice, at once", copies=2),
    _twist("reordered", "finalized before sent", reordered=True),
    _twist("delayed", "webhooks 5 s late (seconds)", delay=5.0),
    _twist("lost", "delivered, and no webhook says so", lost=True),
    _twist(
        "no_finalized", "ends in sent, without a finalized event", finalized=False, status="sent"
    ),
    _twist("webhook_first", "both webhooks before the POST is answered", before_answer=True),
    _twist("unknown_event", "one more event, of an unknown type", unknown_event=True),
    _twist("unknown_field", "events and payloads with an unknown field", unknown_field=True),
    _twist("delivery_unconfirmed", "the carrier never confirms", status="delivery_unconfirmed"),
    _twist(
        "delivery_failed", "the carrier fails: 40008 (code)", status="delivery_failed", code="40008"
    ),
    _twist("delivery_failed_bare", "the carrier fails, errors[] empty", status="delivery_failed"),
    _twist(
        "sending_failed", "never handed over: 40014 (code)", status="sending_failed", code="40014"
    ),
    _twist("expired", "its validity ran out: 40005 (code)", status="expired", code="40005"),
    _twist("bad_signature", "webhooks signed with another key", signature="bad"),
    _twist("stale_signature", "webhooks signed ten minutes ago", signature="stale"),
    _twist("missing_signature", "webhooks without signature headers", signature="missing"),
    _twist("cost_null", "cost is null until the end", has_cost=False),
    *(
        _twist(code, f"delivery_failed, {title}", status="delivery_failed", code=code)
        for code, (_, title) in ASYNCHRONOUS.items()
    ),
]

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_REFUSALS, *_SPOILINGS, *_TWISTS)}


def fault(
    name: str,
    *,
    seconds: float | None = None,
    code: str | None = None,
    retry_after: str | None = None,
) -> Fault:
    """Return the fault with that name and its parameters. Raise ValueError for an unknown name."""
    found = FAULTS.get(name)
    if found is None:
        raise ValueError(f"There is no fault {name!r}.")
    if seconds is not None:
        found = _lasting(found, seconds)
    if code is not None:
        found = _with_code(found, code)
    if retry_after is not None:
        found = _retry_after(found, retry_after)
    return found


def _lasting(fault: Fault, seconds: float) -> Fault:
    if isinstance(fault, Spoiling) and fault.seconds:
        return replace(fault, seconds=seconds)
    if isinstance(fault, Twist) and "delay" in fault.changes:
        return replace(fault, changes={**fault.changes, "delay": seconds})
    raise ValueError(f"{fault.name} takes no seconds.")


def _with_code(fault: Fault, code: str) -> Fault:
    if not isinstance(fault, Twist) or "code" not in fault.changes:
        raise ValueError(f"{fault.name} takes no code.")
    if code not in ASYNCHRONOUS:
        raise ValueError(f"{code} is no code of a finalized event.")
    return replace(fault, changes={**fault.changes, "code": code})


def _retry_after(fault: Fault, value: str) -> Fault:
    if not isinstance(fault, Refusal) or fault.answer.status not in (429, 503):
        raise ValueError(f"{fault.name} takes no retry_after.")
    return replace(fault, answer=replace(fault.answer, headers={"retry-after": value}))
