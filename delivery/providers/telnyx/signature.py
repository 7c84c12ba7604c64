"""Ed25519 signatures of webhooks, over ``timestamp|raw body`` (Telnyx, "Webhook signing")."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from delivery.providers.base import NotConfiguredError, UntrustedError

TOLERANCE_SECONDS = 300


@lru_cache(maxsize=8)
def public_key(encoded: str) -> Ed25519PublicKey:
    """Return the key. Raises :class:`NotConfiguredError` unless it is base64 of 32 bytes."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded, validate=True))
    except ValueError as error:
        raise NotConfiguredError("The public key must be base64 of 32 bytes.") from error


def public_keys(encoded: Sequence[str]) -> list[Ed25519PublicKey]:
    """Return the keys. Raises :class:`NotConfiguredError` without any."""
    if not encoded:
        raise NotConfiguredError("There is no public key.")
    return [public_key(one) for one in encoded]


def verify(
    keys: Iterable[Ed25519PublicKey], *, timestamp: str, signature: str, body: bytes, now: float
) -> None:
    """Raise :class:`UntrustedError` unless ``body`` was signed within 300 s of ``now`` (Unix time), by a
    key of ``keys``.

    The signature is checked first, so that an attacker learns nothing about unsigned timestamps.
    """
    given = _decoded(signature)
    try:
        signed = timestamp.encode() + b"|" + body
    except UnicodeEncodeError as error:
        raise UntrustedError("bad_signature") from error
    if not any(_is_by(key, given, signed) for key in keys):
        raise UntrustedError("bad_signature")
    if abs(now - _seconds(timestamp)) > TOLERANCE_SECONDS:
        raise UntrustedError("stale")


def _is_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UntrustedError("bad_signature") from error


def _seconds(timestamp: str) -> int:
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise UntrustedError("bad_timestamp")
    return int(timestamp)
