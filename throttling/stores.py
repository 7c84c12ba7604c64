"""The store of the app's own buckets: the Redis of its cache alias."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings
from django_redis import get_redis_connection

from throttling import conf
from throttling.buckets import BucketStore, LocalBuckets

local = LocalBuckets()
"""What this process counts by itself while Redis is away."""


def shared() -> BucketStore:
    """What all processes count together."""
    return _shared(conf.cache_alias(), conf.key_prefix(), conf.Same(settings.CACHES))


@lru_cache(maxsize=4)
def _shared(alias: str, prefix: str, _caches: conf.Same) -> BucketStore:
    def connection() -> redis.Redis:
        client: redis.Redis = get_redis_connection(alias)
        return client

    return BucketStore(connection, prefix)
