"""The account's API key and the Ed25519 key that signs its webhooks."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass
class Keys:
    api_key: str = field(default_factory=lambda: f"KEY{secrets.token_hex(16)}")
    private_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @classmethod
    def from_seed(cls, api_key: str, seed: str) -> Keys:
        """Load the key from ``seed``: base64 of the 32 private bytes."""
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed, validate=True))
        return cls(api_key, private)

    @property
    def seed(self) -> str:
        return base64.b64encode(self.private_key.private_bytes_raw()).decode()

    @cached_property
    def public_key(self) -> str:
        """Return base64 of 32 bytes, as Mission Control shows it."""
        return base64.b64encode(self.private_key.public_key().public_bytes_raw()).decode()

    def sign(self, timestamp: str, body: bytes) -> str:
        """Return the value of ``telnyx-signature-ed25519``: the signature of ``timestamp|body``."""
        return base64.b64encode(self.private_key.sign(timestamp.encode() + b"|" + body)).decode()
