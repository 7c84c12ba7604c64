"""The event in a webhook's body, ready to be stored.

Shape (Telnyx, "Receiving webhooks for messaging"): ``{"data": {"event_type", "id", "occurred_at",
"payload": {"id", …}}, "meta": {…}}``. ``data.id`` names the event, ``data.payload.id`` the message.
Nothing is taken for granted: what is missing or odd is stored as far as it goes.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from delivery.models import WebhookEvent
from delivery.providers.telnyx.times import moment
from delivery.references import message_id

_LONGEST = 64


def event(document: dict[str, Any], *, ref: str, now: datetime) -> WebhookEvent:
    """An unsaved row."""
    data = _object(document, "data") or document
    return WebhookEvent(
        event_id=_word(data.get("id")) or _fingerprint(document),
        event_type=_word(data.get("event_type") or data.get("record_type"))[:_LONGEST] or "unknown",
        provider_id=_word(_object(data, "payload").get("id")),
        ref=ref if message_id(ref) is not None else "",
        occurred_at=moment(data.get("occurred_at"), now) or now,
        received_at=now,
        due_at=now,
        payload=data,
    )


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _fingerprint(document: dict[str, Any]) -> str:
    """An event without an id of its own is the same event if it says the same."""
    said = json.dumps({**document, "meta": None}, sort_keys=True).encode()
    return hashlib.sha256(said).hexdigest()
