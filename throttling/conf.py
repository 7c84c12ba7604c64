"""The ``THROTTLING`` settings dict, typed, read live.

THROTTLING = {
    "ENABLED": True,
    "CACHE_ALIAS": "throttling",          # a django-redis cache that no clear() of another flushes
    "TRUSTED_PROXIES": ["10.0.0.0/8"],    # whose X-Forwarded-For is believed; "unix" for a socket
    "POLICIES": {"api": "500/m", "export": {"rate": "10/h", "by": "user"}},
    "PLANS": {"large": {"api": "5000/m"}}, "PLAN_OF": "shop.plans.plan_of",
}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

Network = IPv4Network | IPv6Network

_NOTHING: Mapping[str, Any] = {}

UNIX_SOCKET = "unix"
"""In ``TRUSTED_PROXIES``: a peer without an address (a proxy on a unix socket) is believed."""


class Same:
    """A key of a cache that is one object, and no other that equals it."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing


def declared() -> Mapping[str, Any]:
    return getattr(settings, "THROTTLING", _NOTHING)


def enabled() -> bool:
    """False: nothing is limited, and Redis is not asked."""
    return bool(declared().get("ENABLED", True))


def cache_alias() -> str:
    return str(declared().get("CACHE_ALIAS", "throttling"))


def key_prefix() -> str:
    """Return what all keys begin with, in braces where it has none: one hash tag for all buckets of a
    call, as a Redis Cluster asks."""
    prefix = str(declared().get("KEY_PREFIX", "throttling"))
    return prefix if "{" in prefix else f"{{{prefix}}}"


def trusted_proxies() -> tuple[Network, ...]:
    return _networks(tuple(proxy for proxy in _proxies() if proxy != UNIX_SOCKET))


def unix_socket_trusted() -> bool:
    return UNIX_SOCKET in _proxies()


def _proxies() -> tuple[str, ...]:
    return tuple(declared().get("TRUSTED_PROXIES", ()))


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def ipv6_prefix() -> int:
    """Addresses that share so many bits are one client: 64, what one subscriber is given."""
    return int(declared().get("IPV6_PREFIX", 64))


def authenticated_policies() -> tuple[str, ...]:
    """What every request with a good credential is charged to."""
    return tuple(declared().get("AUTHENTICATED_POLICIES", ("api", "conditional")))


def anonymous_policies() -> tuple[str, ...]:
    """What every request without, or with a bad credential is charged to."""
    return tuple(declared().get("ANONYMOUS_POLICIES", ("anon",)))


def plans() -> Mapping[str, Mapping[str, str]]:
    """Rates that replace those of the policies, by the name of a plan."""
    plans: Mapping[str, Mapping[str, str]] = declared().get("PLANS", {})
    return plans


def plan_of() -> Callable[[Any], str | None] | None:
    """``PLAN_OF``: request -> name of the plan, or None for the policies as they are."""
    return _function("PLAN_OF")


def token_of() -> Callable[[Any], str | None] | None:
    """``TOKEN_OF``: request -> what names its API token on the allowlist; not the secret itself."""
    return _function("TOKEN_OF")


def _function(name: str) -> Callable[[Any], str | None] | None:
    path = declared().get(name)
    return import_string(path) if path else None


def local_processes() -> int:
    """How many processes share a limit while each counts for itself."""
    return int(declared().get("LOCAL_PROCESSES", 1))


def coarse_login_rate() -> str | None:
    """django-ratelimit's rate for POSTs of login pages, by address; None: no outer guard."""
    rate = declared().get("COARSE_LOGIN_RATE", "300/m")
    return None if rate is None else str(rate)


def known_address_age() -> timedelta:
    """How long an address stays known after a successful login."""
    return timedelta(days=int(declared().get("KNOWN_ADDRESS_DAYS", 30)))


def allowlist_max_age() -> float:
    """Seconds after which a process reads the allowlist again though no change was announced."""
    return float(declared().get("ALLOWLIST_MAX_AGE", 10))
