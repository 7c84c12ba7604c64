"""Events: from the body of a webhook to a stored event, and from there to its content.

Shape (Telnyx, "Receiving webhooks for messaging"): ``{"data": {"event_type", "id", "occurred_at",
"payload": {"id", …}}, "meta": {…}}``. ``data.id`` names the event, ``data.payload.id`` the message.
Nothing is required: an event with missing or odd fields is stored as far as possible.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any, NoReturn

from delivery.content.visible_text import storable
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.providers.base import (
    LONGEST_ID,
    DeliveryReport,
    InboundText,
    ProviderEvent,
    UnreadableError,
)
from delivery.providers.telnyx.inbound import inbound_text
from delivery.providers.telnyx.payload import delivery_report, moment
from delivery.providers.values import fingerprint, our_reference

_DEEPEST = 50
_STATUS_EVENTS = {"message.sent", "message.finalized", "message.read"}


def event(document: dict[str, Any], *, ref: str, now: datetime) -> ProviderEvent:
    """Return the event in a webhook's document."""
    data = _object(document, "data") or document
    return ProviderEvent(
        event_id=_word(data.get("id")) or fingerprint({**document, "meta": None}),
        event_type=_word(data.get("event_type") or data.get("record_type")) or "unknown",
        provider_id=_word(_object(data, "payload").get("id")),
        ref=our_reference(ref),
        occurred_at=moment(data.get("occurred_at"), now) or now,
        payload=data,
    )


def read(event: ProviderEvent) -> DeliveryReport | InboundText | None:
    """Return the content of a stored event; None for an unknown type or form."""
    payload = event.payload.get("payload")
    if event.event_type == TEXT_RECEIVED:
        return inbound_text(payload, at=event.occurred_at)
    if event.event_type in _STATUS_EVENTS:
        return delivery_report(payload, at=event.occurred_at)
    return None


def document(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``, storable in every database.

    Raises :class:`UnreadableError`.
    """
    try:
        clean = _DECODER.decode(body.decode("utf-8"))
        if not _is_plainly_storable(body):
            clean = _storable(clean, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise _not_an_object() from error
    if not isinstance(clean, dict):
        raise _not_an_object()
    return clean


def _not_an_object() -> UnreadableError:
    return UnreadableError("The body is not a JSON object.", code="not_json")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259, section 6).")


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
"""``json.loads`` with these options would make a decoder for each body."""


def _is_plainly_storable(body: bytes) -> bool:
    """Return whether valid JSON in ``body`` needs no closer look: only an escape spells a NUL or a lone
    surrogate, and only brackets nest."""
    return b"\\u" not in body and body.count(b"{") + body.count(b"[") < _DEEPEST


def _storable(value: Any, depth: int) -> Any:
    """Return ``value`` without NUL and lone surrogates.

    Raises ValueError for a value that is nested too deeply.
    """
    if depth == 0:
        raise ValueError("The body is nested too deeply.")
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key, 1): _storable(item, depth - 1) for key, item in value.items()}
    return value


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""
