"""The provider's side of a webhook: keys, events, signatures."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpResponse
from django.test import Client

KEY = Ed25519PrivateKey.generate()


def public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def signed(
    body: bytes, *, key: Ed25519PrivateKey = KEY, at: float | str | None = None
) -> dict[str, str]:
    """Return the two signature headers."""
    timestamp = at if isinstance(at, str) else str(int(time.time() if at is None else at))
    signature = key.sign(timestamp.encode() + b"|" + body)
    return {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
    }


def post(
    body: bytes | dict[str, Any], ref: str = "", headers: dict[str, str] | None = None
) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    # Return a request that enforces CSRF protection, as from a browser.
    client = Client(enforce_csrf_checks=True, raise_request_exception=True)
    path = f"/webhooks/telnyx/{ref}/" if ref else "/webhooks/telnyx/"
    answer: Any = client.post(
        path,
        content,
        content_type="application/json",
        headers=signed(content) if headers is None else headers,
    )
    return cast(HttpResponse, answer)


def event(event_type: str, payload: dict[str, Any], **over: Any) -> dict[str, Any]:
    data = {
        "event_type": event_type,
        "id": str(uuid.uuid4()),
        "occurred_at": "2026-11-22T14:03:07.412+00:00",
        "record_type": "event",
        "payload": payload,
        **over,
    }
    return {"data": data, "meta": {"attempt": 1, "delivered_to": "https://example.com/webhooks"}}


def outbound(provider_id: str, status: str, **over: Any) -> dict[str, Any]:
    """Return the payload of ``message.sent`` and ``message.finalized``."""
    return {
        "id": provider_id,
        "direction": "outbound",
        "from": {"phone_number": "+13125550100", "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [{"phone_number": "+13125550001", "status": status, "carrier": "T-MOBILE USA, INC."}],
        "text": "Choir practice is at seven.",
        "sent_at": "2026-11-22T14:03:06.862+00:00",
        "completed_at": None,
        "errors": [],
        **over,
    }


def inbound(provider_id: str, text: str | None, **over: Any) -> dict[str, Any]:
    """Return the payload of ``message.received``."""
    return {
        "id": provider_id,
        "direction": "inbound",
        "from": {"phone_number": "+13125550001", "carrier": "T-Mobile USA"},
        "to": [{"phone_number": "+13125550100", "status": "webhook_delivered"}],
        "text": text,
        "media": [],
        **over,
    }
