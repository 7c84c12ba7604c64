"""The keys of the simulated account, and the options that can be set at start or later."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from delivery.providers.simulator import account


@dataclass
class Keys:
    """The API key, and the Ed25519 key that signs webhooks."""

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


@dataclass(kw_only=True)
class Options(account.Options):
    queue_seconds: float = 4 * 3600
    """A queue longer than this is full (40318)."""
    validity_seconds: float = 3600
    """``valid_until`` after ``received_at``; a text that is still queued then ends as
    ``sending_failed``."""
    schedule_ahead_seconds: float = 300
    """The shortest time until ``send_at``."""
    webhook_failover_url: str = ""
    webhook_timeout_seconds: float = 2
    webhook_retry_seconds: float = 1
    """The pause before the second attempt; it doubles for the third."""
    opt_out_scope: str = "profile"
    """``profile`` (in the simulator: the receiving number) or ``account``."""
