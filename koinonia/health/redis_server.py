"""Checks that the Redis server at ``REDIS_URL`` can do what the project needs.

A server can answer PING and still be useless: its user lacks rights, it is a replica, it lacks the
database of the URL, it is a cluster node for other keys, or it evicts login limits.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import (
    AuthenticationError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from delivery import conf as delivery
from delivery import redis_client
from throttling import shared_buckets
from throttling.buckets import Bucket, BucketsUnavailableError, parse

logger = logging.getLogger(__name__)

_BUCKET = Bucket("readyz", parse("1000/s"))
_NEVER_EVICTS = "noeviction"


class UnusableRedisError(Exception):
    """Redis is unusable. The text is a sentence without addresses and user names."""


def use_buckets() -> None:
    """Charge a test bucket with the script that every request runs. Raise UnusableRedisError."""
    try:
        shared_buckets.store().take([_BUCKET])
    except BucketsUnavailableError as error:
        raise UnusableRedisError(sentence(error.__cause__)) from error


def use_hints() -> None:
    """Write a hint and read it, as web and worker do; raises UnusableRedisError."""
    key = delivery.redis_key("readyz")
    try:
        redis_client.call(lambda client: client.lpush(key, 1))
        redis_client.call(lambda client: client.blpop([key], timeout=1), blocking_seconds=1)
    except redis_client.RedisUnavailableError as error:
        raise UnusableRedisError(sentence(error.__cause__)) from error


def use_channels() -> None:
    """Subscribe to a channel and publish on it, as web does. Raise UnusableRedisError."""
    layers: Any = settings.CHANNEL_LAYERS
    prefix = layers["default"]["CONFIG"]["prefix"]
    client: Any = get_redis_connection("throttling")
    try:
        with client.pubsub() as subscription:
            subscription.subscribe(f"{prefix}readyz")
            client.publish(f"{prefix}readyz", b"")
    except RedisError as error:
        raise UnusableRedisError(sentence(error)) from error


def keep_every_key() -> None:
    """Raise UnusableRedisError if the server may evict keys, as a shared cache does.

    Assume that a server keeps its keys if it refuses INFO, which hosted servers often do.
    """
    client: Any = get_redis_connection("throttling")
    try:
        memory: dict[str, Any] = client.info("memory")
    except (RedisError, OSError):
        return
    policy = memory.get("maxmemory_policy", _NEVER_EVICTS)
    if policy != _NEVER_EVICTS:
        raise UnusableRedisError(
            f"Redis may evict keys (its maxmemory-policy is {policy}), and a login limit that is"
            " evicted is open again: set noeviction, or give Koinonia a separate Redis."
        )


def problems() -> list[str]:
    """Return one sentence per problem of a Redis that answers; none if it is unreachable."""
    found: list[str] = []
    for use in (use_buckets, keep_every_key):
        try:
            use()
        except UnusableRedisError as error:
            if not _is_unreachable(error):
                found.append(f"{error}{_location_of_slot(error)}")
    return found


def warn() -> None:
    """Log the problems when a process starts. ``/readyz`` reports an unreachable Redis."""
    for problem in problems():
        logger.warning("%s", problem, extra={"action": "redis_unusable"})


def sentence(error: BaseException | None) -> str:
    """Explain an error of redis-py to the operator, without addresses and user names."""
    match error:
        case MovedError():
            return (
                "REDIS_URL points at a Redis Cluster, at a node that does not hold our keys. Point"
                " it at the node that does, or use a Redis that is no cluster."
            )
        case NoPermissionError():
            return (
                "The user of REDIS_URL may not run the required commands (EVALSHA, EVAL and the"
                " commands in them, on our keys and channels): grant the rights."
            )
        case AuthenticationError():
            return "Redis refuses the user or the password of REDIS_URL."
        case ReadOnlyError():
            return "REDIS_URL points at a replica, which takes no writes: name the primary."
        case OutOfMemoryError():
            return "The memory of Redis is full."
        case ResponseError() if "DB index" in str(error):
            return (
                f"REDIS_URL names database {_database()}, which this Redis does not have: use one"
                " that it has, and REDIS_PREFIX to tell installations apart."
            )
        case ResponseError() if "SELECT" in str(error):
            return (
                f"REDIS_URL points at a Redis Cluster, which has database 0 alone, and names"
                f" database {_database()}: leave it out, and use REDIS_PREFIX to tell installations"
                " apart."
            )
        case ResponseError():
            return f"Redis refuses a required command ({type(error).__name__})."
    return f"not reachable ({type(error).__name__})" if error is not None else "not reachable"


def _is_unreachable(error: UnusableRedisError) -> bool:
    return str(error).startswith("not reachable")


def _location_of_slot(error: UnusableRedisError) -> str:
    moved = error.__cause__.__cause__ if error.__cause__ is not None else None
    if isinstance(moved, MovedError):
        return f" Slot {moved.slot_id} is at {moved.host}:{moved.port}."
    return ""


def _database() -> int:
    number: int = get_redis_connection("throttling").get_connection_kwargs().get("db", 0)
    return number
