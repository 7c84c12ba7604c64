from __future__ import annotations

from typing import Any

import redis

from delivery import redis_client
from delivery.limits import breaker
from delivery.limits.breaker.shared import SharedBreaker


def fresh(settings: Any, **delivery: Any) -> redis.Redis:
    """``DELIVERY`` without limits but for ``delivery``, and a Redis that remembers nothing."""
    settings.DELIVERY = {
        **settings.DELIVERY, "API_KEY": "KEY0", "ACCOUNT_RATE": None, "SENDER_RATE": None,
        "TENANT_RATE": None, **delivery,
    }  # fmt: skip
    client = redis.Redis.from_url(settings.DELIVERY["REDIS_URL"])
    client.flushdb()
    redis_client._avoid_until = 0.0
    breaker._shared = SharedBreaker()
    return client


def behind(settings: Any, url: str, **delivery: Any) -> None:
    """``DELIVERY`` with the Redis at ``url``."""
    settings.DELIVERY = {**settings.DELIVERY, "REDIS_URL": url, **delivery}
    redis_client._avoid_until = 0.0
