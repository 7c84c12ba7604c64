from __future__ import annotations

from typing import Any

import redis

from delivery import redis_client
from delivery.limits import breaker
from tests.delivery.accounts import with_provider

_OF_THE_ACCOUNT = {"API_BASE", "API_KEY", "PUBLIC_KEY", "BACKEND"}


def fresh(settings: Any, **options: Any) -> redis.Redis:
    """Set ``DELIVERY`` without limits, but with ``options`` (some are of the provider account), and
    empty its Redis."""
    account = {name: options.pop(name) for name in _OF_THE_ACCOUNT & options.keys()}
    settings.DELIVERY = {
        **with_provider(settings, **{"API_KEY": "KEY0", **account}),
        "ACCOUNT_RATE": None, "SENDER_RATE": None, "TENANT_RATE": None, **options,
    }  # fmt: skip
    client = redis.Redis.from_url(settings.DELIVERY["REDIS_URL"])
    client.flushdb()
    redis_client._avoid_until = 0.0
    breaker.forget()
    return client


def behind(settings: Any, url: str, **options: Any) -> None:
    """Set ``DELIVERY`` with the Redis at ``url``."""
    settings.DELIVERY = {**with_provider(settings, API_KEY="KEY0"), "REDIS_URL": url, **options}
    redis_client._avoid_until = 0.0
