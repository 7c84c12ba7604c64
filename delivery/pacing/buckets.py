"""Which buckets a text draws from, and how large they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from delivery import conf
from delivery.encoding import MAX_PARTS


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: ``rate`` parts per second, at most ``burst`` parts at once."""

    key: str
    rate: float
    burst: float


def limits(tenant_id: int, sender: str) -> list[Limit]:
    """The buckets of one tenant's texts from one number; those without a limit are left out."""
    rates = {
        account_key(): conf.account_rate(),
        tenant_key(tenant_id): conf.tenant_rate(),
        sender_key(sender): conf.sender_rate(),
    }
    return [Limit(key, rate, burst(rate)) for key, rate in rates.items() if rate is not None]


def burst(rate: float) -> float:
    """One second's worth, and at least one whole text."""
    return max(rate, float(MAX_PARTS))


def account_key() -> str:
    return f"{_prefix()}:all"


def tenant_key(tenant_id: int) -> str:
    return f"{_prefix()}:tenant:{tenant_id}"


def sender_key(sender: str) -> str:
    # Hashed: a phone number has no place in a key that tools print.
    return f"{_prefix()}:from:{hashlib.sha256(sender.encode()).hexdigest()[:16]}"


def workers_key() -> str:
    return f"{_prefix()}:workers"


def _prefix() -> str:
    return f"{{delivery:{conf.account()}}}:pace"
