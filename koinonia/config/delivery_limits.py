"""The environment variables of delivery: speed, limits, retries."""

from __future__ import annotations

import os
from dataclasses import dataclass

from environs import validate

from koinonia.config import rules


@dataclass(frozen=True, kw_only=True)
class Delivery:
    mode: str
    """DELIVERY_MODE: ``queued``, or ``sync`` (a single text is sent inside the request)."""
    retry_delays: tuple[float, ...]
    """DELIVERY_RETRY_DELAYS: seconds before the 2nd, 3rd, … attempt."""
    lease_seconds: float
    """DELIVERY_LEASE_SECONDS: how long a worker may hold a message."""
    breaker_open_seconds: float
    """DELIVERY_BREAKER_OPEN_SECONDS: the first open time of the circuit breaker."""
    account_rate: float | None
    """DELIVERY_ACCOUNT_RATE: message parts per second, whole account; ``none`` removes the limit."""
    sender_rate: float | None
    """DELIVERY_SENDER_RATE: message parts per second, one sending number."""
    church_rate: float | None
    """DELIVERY_CHURCH_RATE: message parts per second, one church."""
    part_price: str | None
    """DELIVERY_PART_PRICE: the price of one message part, such as 0.014; previews show the sum."""
    countries: tuple[str, ...] | None
    """DELIVERY_COUNTRIES: ISO 3166 codes that may be texted, ``*`` for all; default: each church's own."""
    daily_parts: int | None
    """DELIVERY_DAILY_PARTS: message parts of one church in 24 hours; ``none`` removes the cap."""
    webhook_spool: bool
    """WEBHOOK_SPOOL: 1 keeps webhooks in DATA_DIR/webhooks while the database is away."""


def read(env: rules.Env) -> Delivery:
    """Read the variables; ``env`` collects the problems."""
    delays = env.list("DELIVERY_RETRY_DELAYS", ["1", "2", "4"], validate=rules.each(rules.delay))
    return Delivery(
        mode=env.choice("DELIVERY_MODE", "queued", "sync", default="queued"),
        retry_delays=tuple(map(float, delays or ())),
        lease_seconds=env.float("DELIVERY_LEASE_SECONDS", 30.0, validate=rules.positive),
        breaker_open_seconds=env.float(
            "DELIVERY_BREAKER_OPEN_SECONDS", 30.0, validate=rules.positive
        ),
        account_rate=_per_second(env, "DELIVERY_ACCOUNT_RATE", 50),
        sender_rate=_per_second(env, "DELIVERY_SENDER_RATE", 20),
        church_rate=_per_second(env, "DELIVERY_CHURCH_RATE", None),
        part_price=env.text("DELIVERY_PART_PRICE", "", rules.price) or None,
        countries=_countries(env),
        daily_parts=_daily_parts(env),
        webhook_spool=env.bool("WEBHOOK_SPOOL", False),
    )


def _per_second(env: rules.Env, name: str, default: float | None) -> float | None:
    if os.environ.get(name, "").lower() in {"", "none"}:
        return None if name in os.environ else default
    return env.float(name, validate=rules.positive)


def _countries(env: rules.Env) -> tuple[str, ...] | None:
    if not os.environ.get("DELIVERY_COUNTRIES"):
        return None
    given: list[str] = env.list("DELIVERY_COUNTRIES", validate=rules.each(rules.country)) or []
    # Treat an empty list as not set: it would refuse every text.
    return tuple(code.strip().upper() for code in given) or None


def _daily_parts(env: rules.Env) -> int | None:
    if os.environ.get("DELIVERY_DAILY_PARTS", "").lower() == "none":
        return None
    return env.int("DELIVERY_DAILY_PARTS", 20_000, validate=validate.Range(0, 2**31 - 1))
