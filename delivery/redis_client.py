"""The Redis clients of this process. No message is lost with the data in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from delivery import conf
from delivery.process import PerProcess

T = TypeVar("T")

_TIMEOUT_SECONDS = 0.25
_AVOID_SECONDS = 1.0
_SENTINEL_PORT = 26379

_clients = PerProcess(dict[tuple[str, float], redis.Redis])
_avoid_until = 0.0


class RedisUnavailableError(Exception):
    """Redis cannot be used now; the caller works without Redis."""


def call(use: Callable[[redis.Redis], T], *, blocking_seconds: float = 0) -> T:
    """Return ``use(client)``, or raise :class:`RedisUnavailableError`.

    After a failure Redis is not called for a second, so that an outage costs one timeout a second
    and not one per call.
    """
    global _avoid_until
    if time.monotonic() < _avoid_until:
        raise RedisUnavailableError("Redis failed a moment ago.")
    try:
        return use(_client(blocking_seconds))
    except redis.RedisError as error:
        _avoid_until = time.monotonic() + _AVOID_SECONDS
        raise RedisUnavailableError(type(error).__name__) from error


def _client(blocking_seconds: float) -> redis.Redis:
    url = conf.redis_url()
    if not url:
        raise RedisUnavailableError("DELIVERY['REDIS_URL'] is not set.")
    clients, key = _clients.get(), (url, blocking_seconds)
    if key not in clients:
        clients[key] = _connect(
            url,
            socket_timeout=_TIMEOUT_SECONDS + blocking_seconds,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            # redis-py's default asks a Sentinel four times; that takes seconds.
            retry=Retry(NoBackoff(), 0),
        )
    return clients[key]


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
