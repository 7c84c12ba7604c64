"""The environment variables of the Twilio account."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from environs import ValidationError

from koinonia.config import rules

_TWILIO = "https://api.twilio.com"


@dataclass(frozen=True, kw_only=True)
class Twilio:
    account_sid: str
    """TWILIO_ACCOUNT_SID: AC and 32 hexadecimal digits."""
    auth_tokens: list[str]
    """TWILIO_AUTH_TOKEN: verifies the signatures of webhooks; old,new while it rotates."""
    api_key: str
    """TWILIO_API_KEY: SK…, calls the API; by default the account and its token do."""
    api_secret: str
    """TWILIO_API_SECRET: the secret of the key."""
    api_base: str
    """TWILIO_API_BASE: https://api.twilio.com."""


def read(env: rules.Env) -> Twilio | None:
    """Read the variables; ``env`` collects the problems. Return None without an account."""
    account_sid = env.text("TWILIO_ACCOUNT_SID", "", _account_sid)
    # The rules skip an empty variable: it counts as not set.
    token = env.text("TWILIO_AUTH_TOKEN", "", _needs("TWILIO_ACCOUNT_SID"))
    key = env.text("TWILIO_API_KEY", "", _needs("TWILIO_ACCOUNT_SID", "TWILIO_API_SECRET"))
    secret = env.text("TWILIO_API_SECRET", "", _needs("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY"))
    base = env.text("TWILIO_API_BASE", _TWILIO, rules.url("http", "https"))
    if not account_sid:
        return None
    return Twilio(
        account_sid=account_sid,
        auth_tokens=[one.strip() for one in token.split(",") if one.strip()],
        api_key=key,
        api_secret=secret,
        api_base=base,
    )


def _account_sid(value: str) -> None:
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValidationError("It is not AC and 32 hexadecimal digits.")
    _needs("TWILIO_AUTH_TOKEN")(value)


def _needs(*others: str) -> rules.Rule:
    """Return the rule that a variable is useless without ``others``."""

    def check(value: str) -> None:
        absent = [name for name in others if not os.environ.get(name)]
        if absent:
            raise ValidationError(f"It needs {' and '.join(absent)} as well.")

    return check
