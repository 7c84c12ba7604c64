"""Access to the token buckets that all processes share, and what replaces it while Redis is away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import lru_cache

import redis
from django.conf import settings
from django_redis import get_redis_connection

from throttling import conf
from throttling.buckets import BucketStore, LocalBuckets

FAILURES = 3
PAUSE_SECONDS = 1.0

local = LocalBuckets()
"""The buckets that this process counts alone while Redis is away."""


def store() -> BucketStore:
    """Return the buckets that all processes count together, in the Redis of the cache alias."""
    return _store(conf.cache_alias(), conf.key_prefix(), conf.IdentityKey(settings.CACHES))


@lru_cache(maxsize=4)
def _store(alias: str, prefix: str, _caches: conf.IdentityKey) -> BucketStore:
    def connection() -> redis.Redis:
        client: redis.Redis = get_redis_connection(alias)
        return client

    return BucketStore(connection, prefix)


class RedisOutage:
    """Remember that Redis does not answer, so that not every request waits for a time-out.

    After three failures in a row, nothing asks Redis for about a second. Then one caller tries.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def is_known(self) -> bool:
        """Return True if the caller must not ask Redis.

        Returns False to exactly one caller when the pause ends: that caller tries.
        """
        if self._failures < FAILURES:
            return False
        now = self._clock()
        if now < self._until:
            return True
        self._pause(now)
        return False

    def note_failure(self) -> int:
        """Count a failure and return how many there are in a row; ``FAILURES`` begin an outage."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._pause(self._clock())
        return self._failures

    def note_answer(self) -> bool:
        """Forget the failures and return True if this answer ends an outage."""
        ended = self._failures >= FAILURES
        self._failures = 0
        return ended

    def _pause(self, now: float) -> None:
        # Jitter prevents a thundering herd: the processes must not all try at the same moment.
        self._until = now + PAUSE_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311  # no secret
