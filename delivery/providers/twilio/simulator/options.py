"""The credentials of the simulated account, and the options that can be set at start or later."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from delivery.providers.simulator import account


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Both pairs open the API; the Auth Token alone signs webhooks."""

    account_sid: str = field(default_factory=lambda: "AC" + secrets.token_hex(16))
    auth_token: str = field(default_factory=lambda: secrets.token_hex(16))
    api_key: str = field(default_factory=lambda: "SK" + secrets.token_hex(16))
    api_secret: str = field(default_factory=lambda: secrets.token_hex(16))

    def open_the_api(self, user: str, password: str) -> bool:
        pairs = ((self.account_sid, self.auth_token), (self.api_key, self.api_secret))
        given = f"{user}:{password}".encode()
        return any(secrets.compare_digest(given, ":".join(pair).encode()) for pair in pairs)


@dataclass(kw_only=True)
class Options(account.Options):
    queue_seconds: float = 36_000
    """A queue longer than this is full (21611)."""
    webhook_timeout_seconds: float = 15
    sign_fragment: bool = False
    """Sign a callback's URL with its fragment; Twilio's documents leave it open."""
    advanced_opt_out: bool = False
    """Inbound texts carry OptOutType, as with Advanced Opt-Out on a service."""
