"""The pace: parts per second of an account, of a tenant and of a sending number.

The buckets are shared by all workers through Redis. Without Redis each worker keeps to its share.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery import conf, redis_client
from delivery.limits.pacing import buckets
from delivery.limits.pacing.buckets import Limit
from delivery.limits.pacing.local import LocalBuckets
from delivery.limits.slowdowns import NOTHING_SLOWED, Rates, slowest
from delivery.process import worker_name
from delivery.providers.base import Account

_HERE = Path(__file__).parent
_TAKE = (_HERE / "bucket.lua").read_text()
_FREEZE = (_HERE / "freeze.lua").read_text()

_local = LocalBuckets()
_workers = 1


@dataclass(frozen=True, slots=True)
class Grant:
    texts: int
    """The number of requested texts that may go, in order."""
    wait: float
    """Seconds until another may."""


def take(
    account: Account,
    tenant_id: Any,
    sender: str,
    costs: Sequence[int],
    slowed: Rates = NOTHING_SLOWED,
) -> Grant:
    """Take parts for a batch of texts of one tenant from one number, ``costs`` parts each."""
    limits = buckets.limits(account, tenant_id, sender, slowed)
    try:
        granted, wait, _ = _ask("take", account, limits, costs)
        return Grant(granted, wait)
    except redis_client.RedisUnavailableError:
        return Grant(*_local.take(limits, costs, time.monotonic(), share=_workers))


def available(
    account: Account, tenant_id: Any, sender: str, slowed: Rates = NOTHING_SLOWED
) -> int | None:
    """Return about how many parts may go now; None where it is not known."""
    limits = buckets.limits(account, tenant_id, sender, slowed)
    try:
        return _ask("peek", account, limits, ())[2]
    except redis_client.RedisUnavailableError:
        return None


def seconds_for(
    account: Account, sender: str, parts: int, slowed: Rates = NOTHING_SLOWED
) -> float | None:
    """Return the seconds that ``parts`` of one tenant take at the slowest of the limits; None
    without a limit. Other waiting messages, and the burst, are not counted."""
    rate = slowest(
        buckets.account_rate(account, slowed),
        buckets.sender_rate(account, sender, slowed),
        conf.tenant_rate(),
    )
    return None if rate is None else parts / rate


def freeze_account(account: Account, seconds: float) -> None:
    """Stop the whole account: the provider asked for a pause."""
    _freeze(buckets.account_key(account), seconds)


def freeze_sender(account: Account, sender: str, seconds: float) -> None:
    """Stop one sending number: the provider asked for a pause of this number."""
    _freeze(buckets.sender_key(account, sender), seconds)


def _ask(
    op: str, account: Account, limits: Sequence[Limit], costs: Sequence[int]
) -> tuple[int, float, int]:
    global _workers
    keys = [buckets.workers_key(account), *(limit.key for limit in limits)]
    sizes = [number for limit in limits for number in (limit.rate, limit.burst)]
    arguments: list[str | float] = [worker_name(), op, len(costs), *costs, *sizes]
    granted, wait_ms, parts, _workers = redis_client.call(
        lambda redis: redis.eval(_TAKE, len(keys), *keys, *arguments)
    )
    return granted, wait_ms / 1000, parts


def _freeze(key: str, seconds: float) -> None:
    # Freeze the local bucket as well: Redis may fail later.
    _local.freeze(key, time.monotonic() + seconds)
    try:
        redis_client.call(lambda redis: redis.eval(_FREEZE, 1, key, round(seconds * 1000)))
    except redis_client.RedisUnavailableError:
        pass  # This worker pauses; another one learns from its own 429.
