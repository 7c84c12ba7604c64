"""Which buckets a text draws from, and how large they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from delivery import conf
from delivery.content.encoding import MAX_PARTS

_UNLIMITED = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: ``rate`` parts per second, at most ``burst`` parts at once."""

    key: str
    rate: float
    burst: float


def limits(tenant_id: Any, sender: str) -> list[Limit]:
    """The buckets of one tenant's texts from one number.

    The account and the number have one even without a limit: a 429 freezes it.
    """
    found = [
        _limit(account_key(), conf.account_rate() or _UNLIMITED),
        _limit(sender_key(sender), conf.sender_rate() or _UNLIMITED),
    ]
    rate = conf.tenant_rate()
    return found if rate is None else [*found, _limit(tenant_key(tenant_id), rate)]


def _limit(key: str, rate: float) -> Limit:
    return Limit(key, rate, burst(rate))


def burst(rate: float) -> float:
    """One second's worth, and at least one whole text."""
    return max(rate, float(MAX_PARTS))


def account_key() -> str:
    return f"{_prefix()}:all"


def tenant_key(tenant_id: Any) -> str:
    return f"{_prefix()}:tenant:{tenant_id}"


def sender_key(sender: str) -> str:
    # Hashed: a phone number has no place in a key that tools print.
    return f"{_prefix()}:from:{hashlib.sha256(sender.encode()).hexdigest()[:16]}"


def workers_key() -> str:
    return f"{_prefix()}:workers"


def _prefix() -> str:
    return conf.redis_key("pace")
