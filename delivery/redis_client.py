"""Redis for this process. Everything kept there may be lost without losing a text."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from delivery import conf

T = TypeVar("T")

_TIMEOUT_SECONDS = 0.25
_AVOID_SECONDS = 1.0
_SENTINEL_PORT = 26379

_clients: dict[tuple[int, str, float], redis.Redis] = {}
_avoid_until = 0.0


class RedisUnavailableError(Exception):
    """There is no Redis now; the caller goes on without."""


def attempt(call: Callable[[redis.Redis], T], *, blocking_seconds: float = 0) -> T:
    """``call`` with a client, or :class:`RedisUnavailableError`.

    After a failure Redis is left alone for a second, so that an outage costs one timeout a second
    and not one per call.
    """
    global _avoid_until
    if time.monotonic() < _avoid_until:
        raise RedisUnavailableError("Redis failed a moment ago.")
    try:
        return call(_client(blocking_seconds))
    except redis.RedisError as error:
        _avoid_until = time.monotonic() + _AVOID_SECONDS
        raise RedisUnavailableError(type(error).__name__) from error


def forget_outage() -> None:
    """Ask Redis again at once; for tests that stop and start it."""
    global _avoid_until
    _avoid_until = 0.0


def _client(blocking_seconds: float) -> redis.Redis:
    """A client of this process: a forked child must not share its parent's sockets."""
    url = conf.redis_url()
    if not url:
        raise RedisUnavailableError("DELIVERY['REDIS_URL'] is not set.")
    key = (os.getpid(), url, blocking_seconds)
    if key not in _clients:
        _clients[key] = _connect(
            url,
            socket_timeout=_TIMEOUT_SECONDS + blocking_seconds,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            # Of its own accord redis-py asks a Sentinel four times, for seconds.
            retry=Retry(NoBackoff(), 0),
        )
    return _clients[key]


def _connect(url: str, **options: Any) -> redis.Redis:
    parts = urlsplit(url)
    if parts.scheme != "redis+sentinel":
        return redis.Redis.from_url(url, **options)
    # redis+sentinel://:password@host:port,host:port/master/database
    credentials, _, hosts = parts.netloc.rpartition("@")
    master, _, database = parts.path.strip("/").partition("/")
    password = unquote(credentials.partition(":")[2]) or None
    connect: Any = Sentinel  # redis-py leaves it untyped
    sentinel = connect([_address(host) for host in hosts.split(",")], sentinel_kwargs=options)
    client: redis.Redis = sentinel.master_for(
        master, db=int(database or 0), password=password, **options
    )
    return client


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "", parts.port or _SENTINEL_PORT
