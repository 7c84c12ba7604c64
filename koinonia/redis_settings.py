"""One ``REDIS_URL`` in the form that each of its users wants, with a database of its own."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

_SENTINEL_PORT = 26379


def database(url: str, number: int) -> str:
    """``url`` with its database number replaced: each use has its own."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = {**dict(parse_qsl(parts.query)), "db": str(number)}
        # urlunsplit would leave out the // that redis-py asks for.
        return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"
    if parts.scheme == "redis+sentinel":
        return urlunsplit(parts._replace(path=f"/{_master(url)}/{number}"))
    return urlunsplit(parts._replace(path=f"/{number}"))


def cache(url: str, number: int, **options: Any) -> dict[str, Any]:
    """An entry of ``CACHES``, for django-redis."""
    if urlsplit(url).scheme != "redis+sentinel":
        location = database(url, number)
        return {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": location,
            "OPTIONS": options,
        }
    # Of its own accord redis-py asks a Sentinel four times, for seconds: as at any other Redis,
    # a timeout is to be all that an outage costs.
    once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
    timeouts: dict[str, Any] = {
        name.lower(): options[name]
        for name in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
        if name in options
    }
    sentinel: dict[str, Any] = {
        "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
        "SENTINELS": _sentinels(url),
        "SENTINEL_KWARGS": {**timeouts, **once},
        "CONNECTION_POOL_KWARGS": once,
        **_password(url, "PASSWORD"),
    }
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://{_master(url)}/{number}",
        "OPTIONS": {**sentinel, **options},
    }


def channel_host(url: str, number: int) -> dict[str, Any]:
    """A host of a channels_redis layer, which waits on its socket for as long as it takes.

    redis-py 8 gives up on a socket after 5 s by default, and the layer's consumers would die with it
    (django/channels_redis#422).
    """
    if urlsplit(url).scheme != "redis+sentinel":
        return {"address": database(url, number), "socket_timeout": None}
    return {
        "sentinels": _sentinels(url),
        "master_name": _master(url),
        "db": number,
        "socket_timeout": None,
        **_password(url, "password"),
    }


def _master(url: str) -> str:
    return urlsplit(url).path.strip("/").partition("/")[0]


def _sentinels(url: str) -> list[tuple[str, int]]:
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    return [_host_and_port(host) for host in hosts]


def _host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[?(?P<host>[^\]]+?)\]?(?::(?P<port>\d+))?", text)
    if found is None:
        raise ValueError(f"{text!r} is no host of a Sentinel.")
    return found["host"], int(found["port"] or _SENTINEL_PORT)


def _password(url: str, name: str) -> dict[str, str]:
    password = urlsplit(url).netloc.rpartition("@")[0].partition(":")[2]
    return {name: unquote(password)} if password else {}
