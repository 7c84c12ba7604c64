"""One ``REDIS_URL`` in the form that each of its users wants: one database, a key prefix per use.

Every key of an installation holds the same hash tag, ``{<REDIS_PREFIX>:<database>}``. So a script
never touches two slots of a Redis Cluster, one database is enough, and installations that differ in
database or prefix share nothing. Channels of pub/sub belong to the server and not to a database:
there the prefix alone tells installations apart, and the number is part of it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

_SENTINEL_PORT = 26379


def number(url: str) -> int:
    """Return the database that ``url`` names, 0 where it names none; raise ValueError for no number.

    redis-py reads a ``db`` in the query before the path, and takes any other word for database 0.
    """
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if parts.scheme == "unix":
        path = ""
    elif parts.scheme == "redis+sentinel":
        path = path.partition("/")[2]
    found = parse_qs(parts.query).get("db", [path])[0] or "0"
    if not re.fullmatch(r"[0-9]{1,5}", found):
        raise ValueError(f"{found!r} is no number of a database.")
    return int(found)


def hash_tag(url: str, prefix: str) -> str:
    """Return what every key of this installation holds, braces included."""
    return f"{{{prefix}:{number(url)}}}"


def cache(url: str, key_prefix: str, **options: Any) -> dict[str, Any]:
    """Return an entry of ``CACHES`` for django-redis, whose keys begin with ``key_prefix``."""
    entry: dict[str, Any] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "KEY_PREFIX": key_prefix,
        "LOCATION": _location(url, options),
        "OPTIONS": {"CLIENT_CLASS": "koinonia.config.redis_cache.PrefixClient", **options},
    }
    if urlsplit(url).scheme == "redis+sentinel":
        entry["OPTIONS"] = {**_sentinel_options(url, options), **entry["OPTIONS"]}
    return entry


def _location(url: str, options: dict[str, Any]) -> str:
    """Return the address with its timeouts: django-redis shares one pool between equal addresses,
    and with it the timeouts of whichever cache was used first."""
    parts = urlsplit(url)
    if parts.scheme == "redis+sentinel":
        parts = urlsplit(f"redis://{_master(url)}/{number(url)}")
    timeouts = {name.lower(): str(value) for name, value in _timeouts(options).items()}
    query = urlencode({**dict(parse_qsl(parts.query)), **timeouts})
    if parts.scheme == "unix":
        # urlunsplit would leave out the // that redis-py asks for.
        address = f"unix://{parts.netloc}{parts.path}"
        return f"{address}?{query}" if query else address
    return urlunsplit(parts._replace(query=query))


def _timeouts(options: dict[str, Any]) -> dict[str, float]:
    names = ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
    return {name: options[name] for name in names if name in options}


def _sentinel_options(url: str, options: dict[str, Any]) -> dict[str, Any]:
    # Of its own accord redis-py asks a Sentinel four times, for seconds: as at any other Redis,
    # a timeout is to be all that an outage costs.
    once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
    timeouts = {name.lower(): value for name, value in _timeouts(options).items()}
    return {
        "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
        "SENTINELS": _sentinels(url),
        "SENTINEL_KWARGS": {**timeouts, **once},
        "CONNECTION_POOL_KWARGS": once,
        **_password(url, "PASSWORD"),
    }


def channel_layer(url: str, prefix: str) -> dict[str, Any]:
    """Return the ``CONFIG`` of a channels_redis layer: its host, and the prefix of its channels."""
    return {"hosts": [channel_host(url)], "prefix": f"{prefix}.{number(url)}."}


def channel_host(url: str) -> dict[str, Any]:
    """Return a host of a channels_redis layer, which waits on its socket for as long as it takes.

    redis-py 8 gives up on a socket after 5 s by default, and the layer's consumers would die with it
    (django/channels_redis#422).
    """
    if urlsplit(url).scheme != "redis+sentinel":
        return {"address": url, "socket_timeout": None}
    return {
        "sentinels": _sentinels(url),
        "master_name": _master(url),
        "db": number(url),
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
