"""The buckets that a text draws from, and their sizes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from delivery import conf
from delivery.content.encoding import MAX_PARTS
from delivery.limits.slowdowns import NOTHING_SLOWED, Rates, slowest
from delivery.providers.base import Account

_UNLIMITED = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: ``rate`` parts per second, at most ``burst`` parts at once."""

    key: str
    rate: float
    burst: float


def limits(
    account: Account, tenant_id: Any, sender: str, slowed: Rates = NOTHING_SLOWED
) -> list[Limit]:
    """Return the buckets of one tenant's messages from one number of an account.

    The account and the number have a bucket even without a limit: a 429 freezes it.
    """
    found = [
        _limit(account_key(account), account_rate(account, slowed) or _UNLIMITED),
        _limit(sender_key(account, sender), sender_rate(account, sender, slowed) or _UNLIMITED),
    ]
    rate = conf.tenant_rate()
    return found if rate is None else [*found, _limit(tenant_key(account, tenant_id), rate)]


def account_rate(account: Account, slowed: Rates) -> float | None:
    """Return the parts a second of the account; a person may have slowed it. None: no limit."""
    return slowest(conf.account_rate(account.alias), slowed.get((account.name, "")))


def sender_rate(account: Account, sender: str, slowed: Rates) -> float | None:
    """Return the parts a second of one number; a person may have slowed it. None: no limit."""
    return slowest(conf.sender_rate(account.alias), slowed.get((account.name, sender)))


def _limit(key: str, rate: float) -> Limit:
    return Limit(key, rate, burst(rate))


def burst(rate: float) -> float:
    """Return one second's worth, and at least one whole text."""
    return max(rate, float(MAX_PARTS))


def account_key(account: Account) -> str:
    return f"{_prefix(account)}:all"


def tenant_key(account: Account, tenant_id: Any) -> str:
    return f"{_prefix(account)}:tenant:{tenant_id}"


def sender_key(account: Account, sender: str) -> str:
    # Hashed: tools print keys, and a phone number must not appear there.
    return f"{_prefix(account)}:from:{hashlib.sha256(sender.encode()).hexdigest()[:16]}"


def workers_key(account: Account) -> str:
    return f"{_prefix(account)}:workers"


def _prefix(account: Account) -> str:
    return conf.redis_key("pace", account=account.name)
