"""One ``REDIS_URL`` in the form that each user of Redis wants: one database, a key prefix per use.

Every key of an installation holds the same hash tag, ``{<REDIS_PREFIX>:<database>}``. So a script
never touches two slots of a Redis Cluster, one database is enough, and installations that differ in
database or prefix share no key. Pub/sub channels belong to the server and not to a database, so
their prefix contains the number of the database too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

SENTINEL_SCHEME = "redis+sentinel"
_SENTINEL_PORT = 26379
_TIMEOUTS = ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
_CHANNEL_SOCKET: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": 2.0}


@dataclass(frozen=True)
class Sentinel:
    """A parsed ``redis+sentinel://[:password@]host[:port],host[:port]/master[/database]``."""

    hosts: list[tuple[str, int]]
    master: str
    database: str
    password: str

    def password_as(self, name: str) -> dict[str, str]:
        return {name: self.password} if self.password else {}


def parse_sentinel(url: str) -> Sentinel | None:
    """Return the parts of a Sentinel URL, None for another scheme. Raise ValueError if malformed."""
    parts = urlsplit(url)
    if parts.scheme != SENTINEL_SCHEME:
        return None
    if not re.fullmatch(r"/[^/]+(/[^/]*)?", parts.path) or not parts.netloc:
        raise ValueError("Sentinel is redis+sentinel://[:password@]host[:port],host[:port]/master.")
    credentials, _, hosts = parts.netloc.rpartition("@")
    master, _, database = parts.path.strip("/").partition("/")
    return Sentinel(
        hosts=[_host_and_port(host) for host in hosts.split(",")],
        master=master,
        database=database,
        password=unquote(credentials.partition(":")[2]),
    )


def _host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[?(?P<host>[^\]]+?)\]?(?::(?P<port>\d+))?", text)
    if found is None:
        raise ValueError("A host of a Sentinel is missing or malformed.")
    return found["host"], int(found["port"] or _SENTINEL_PORT)


def number(url: str) -> int:
    """Return the number of the database in ``url``, 0 by default. Raise ValueError if it is not one.

    redis-py reads a ``db`` in the query before the path, and treats any other word as database 0.
    """
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if parts.scheme == "unix":
        path = ""
    elif sentinel := parse_sentinel(url):
        path = sentinel.database
    found = parse_qs(parts.query).get("db", [path])[0] or "0"
    if not re.fullmatch(r"[0-9]{1,5}", found):
        raise ValueError(f"{found!r} is no number of a database.")
    return int(found)


def hash_tag(url: str, prefix: str) -> str:
    """Return the hash tag of every key of this installation, braces included."""
    return f"{{{prefix}:{number(url)}}}"


def cache(url: str, key_prefix: str, **options: Any) -> dict[str, Any]:
    """Return an entry of ``CACHES`` for django-redis with ``key_prefix`` on its keys."""
    sentinel = parse_sentinel(url)
    timeouts = {name.lower(): options[name] for name in _TIMEOUTS if name in options}
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "KEY_PREFIX": key_prefix,
        "LOCATION": _location(url, sentinel, timeouts),
        "OPTIONS": {
            **(_sentinel_options(sentinel, timeouts) if sentinel else {}),
            "CLIENT_CLASS": "koinonia.config.redis_cache.PrefixClient",
            **options,
        },
    }


def _location(url: str, sentinel: Sentinel | None, timeouts: dict[str, float]) -> str:
    """Return the address with its timeouts.

    django-redis shares one pool between equal addresses, and the first cache that connects sets the
    timeouts of that pool.
    """
    parts = urlsplit(f"redis://{sentinel.master}/{number(url)}" if sentinel else url)
    query = urlencode({**dict(parse_qsl(parts.query)), **timeouts})
    if parts.scheme == "unix":
        # urlunsplit would drop the // that redis-py requires.
        address = f"unix://{parts.netloc}{parts.path}"
        return f"{address}?{query}" if query else address
    return urlunsplit(parts._replace(query=query))


def _sentinel_options(sentinel: Sentinel, timeouts: dict[str, float]) -> dict[str, Any]:
    # redis-py by default asks a Sentinel four times, which takes seconds. An outage must cost one
    # timeout, as with any other Redis.
    once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
    return {
        "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
        "SENTINELS": sentinel.hosts,
        "SENTINEL_KWARGS": {**timeouts, **once},
        "CONNECTION_POOL_KWARGS": once,
        **sentinel.password_as("PASSWORD"),
    }


def channel_layer(url: str, prefix: str) -> dict[str, Any]:
    """Return the ``CONFIG`` of a channels_redis layer: its host, and the prefix of its channels."""
    return {"hosts": [channel_host(url)], "prefix": f"{prefix}.{number(url)}."}


def channel_host(url: str) -> dict[str, Any]:
    """Return a host of a channels_redis layer, with a socket that may be silent for any time.

    Only the time to connect is limited. redis-py 8 closes a socket after 5 s without data by default. The layer's consumers would end
    with it (django/channels_redis#422).
    """
    sentinel = parse_sentinel(url)
    if sentinel is None:
        return {"address": url, **_CHANNEL_SOCKET}
    return {
        "sentinels": sentinel.hosts,
        "master_name": sentinel.master,
        "db": number(url),
        **_CHANNEL_SOCKET,
        **sentinel.password_as("password"),
    }
