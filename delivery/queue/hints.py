"""Hints in Redis that wake a worker. A lost hint costs a tenth of a second."""

from __future__ import annotations

from redis import Redis

from delivery import conf, redis_client
from delivery.redis_client import RedisUnavailableError

_MOST_WAITING = 15


def push() -> None:
    """Wake a worker. Best effort: the broker's poll finds the work without a hint."""
    try:
        redis_client.call(_push)
    except RedisUnavailableError:
        pass  # the broker polls the database


def wait(seconds: float) -> bool:
    """Wait for a hint; return False if none came. Raise RedisUnavailableError without waiting."""
    found = redis_client.call(
        lambda redis: redis.blpop([_key()], timeout=seconds), blocking_seconds=seconds
    )
    return found is not None


def take() -> bool:
    """Take a hint without waiting. Return False if none is stored."""
    try:
        return redis_client.call(lambda redis: redis.lpop(_key())) is not None
    except RedisUnavailableError:
        return False


def _key() -> str:
    return conf.redis_key("hint")


def _push(redis: Redis) -> None:
    pipeline = redis.pipeline(transaction=False)
    pipeline.lpush(_key(), 1)
    pipeline.ltrim(_key(), 0, _MOST_WAITING)
    pipeline.execute()
