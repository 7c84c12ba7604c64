"""Signatures of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
_BYTES = 32
"""The specification asks for 24 to 64 bytes."""


def new_secret() -> str:
    """Return a new random secret in the spelling that the receivers' libraries read."""
    return PREFIX + base64.b64encode(randomness.token_bytes(_BYTES)).decode()


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a webhook.

    ``secrets`` are spelled ``whsec_…``. There are two while a secret rotates: a receiver accepts the
    webhook if one of the signatures fits its secret. ``message_id`` holds no dot and stays the same
    in each attempt; ``at`` is the time of this attempt.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    signatures = (_signature(key_of(secret), signed) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret. Raise ValueError if it is not ``whsec_`` and base64."""
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("The secret of a webhook is whsec_ and base64.") from error
    if encoded == secret or not key:
        raise ValueError("The secret of a webhook is whsec_ and base64.")
    return key


def _signature(key: bytes, signed: bytes) -> str:
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
