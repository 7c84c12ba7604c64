"""The bytes of ``POST /v2/messages``, a pure function of the row: the same on every attempt.

Telnyx compares the body byte by byte under one Idempotency-Key (error 10027), so nothing that may
change between two attempts, settings included, may flow in here.
"""

from __future__ import annotations

import json
from typing import Any

from delivery.models import Message
from delivery.providers.base import SendRequest
from delivery.references import reference


def build(message: Message) -> SendRequest:
    return SendRequest(
        message_id=message.pk,
        generation=message.generation,
        idempotency_key=_key(message),
        body=_body(message),
    )


def _key(message: Message) -> str:
    # With the birth of the row: a database made anew counts its ids from 1 again.
    born = int(message.created_at.timestamp() * 1000)
    return f"m:{message.pk}:{message.generation}:{born:x}"


def _body(message: Message) -> bytes:
    fields: dict[str, Any] = {"from": message.from_number, "to": message.to_number}
    if message.text:
        fields["text"] = message.text
    if message.media_urls:
        fields["media_urls"] = message.media_urls
        fields["type"] = "MMS"
    if message.callback_origin:
        fields["webhook_url"] = webhook_url(message)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def webhook_url(message: Message) -> str:
    """Where Telnyx tells what becomes of this text, and no other; empty where it cannot."""
    if not message.callback_origin:
        return ""
    return f"{message.callback_origin}/webhooks/telnyx/{reference(message.pk)}/"
