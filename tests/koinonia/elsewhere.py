"""The project's settings on another Redis, as ``koinonia.settings`` makes them."""

from __future__ import annotations

from typing import Any

from delivery import redis_client
from koinonia.config import redis_settings

_QUICKLY = {"SOCKET_TIMEOUT": 0.1, "SOCKET_CONNECT_TIMEOUT": 0.1}


def use_redis(settings: Any, url: str) -> None:
    """Let every use of Redis in this test go to ``url``."""
    tag = redis_settings.hash_tag(url, "koinonia")
    settings.CACHES = {
        "default": redis_settings.cache(url, f"{tag}:cache"),
        "throttling": redis_settings.cache(url, f"{tag}:buckets", **_QUICKLY),
        "ratelimit": redis_settings.cache(url, f"{tag}:ratelimit", **_QUICKLY),
    }
    settings.THROTTLING = {**settings.THROTTLING, "KEY_PREFIX": f"{tag}:throttling"}
    settings.DELIVERY = {**settings.DELIVERY, "REDIS_URL": url, "HASH_TAG": tag}
    redis_client._avoid_until = 0.0
