"""The ``THROTTLING`` settings dict, typed. Each function reads the settings when it is called.

THROTTLING = {
    "ENABLED": True,
    "CACHE_ALIAS": "throttling",          # a django-redis cache with a separate database
    "TRUSTED_PROXIES": ["10.0.0.0/8"],    # their X-Forwarded-For is trusted; "unix" for a socket
    "POLICIES": {"api": "500/m", "export": {"rate": "10/h", "by": "user"}},
    "PLANS": {"large": {"api": "5000/m"}}, "PLAN_OF": "shop.plans.plan_of",
}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

Network = IPv4Network | IPv6Network

UNIX_SOCKET = "unix"
"""In ``TRUSTED_PROXIES``: trust a peer without an address, that is, a proxy on a unix socket."""


class Setting(NamedTuple):
    """The default and the rule of one key."""

    default: Any
    accepts: Callable[[Any], bool]
    rule: str
    """The end of the sentence "it must be …"."""


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_name_list(value: Any) -> bool:
    # A string is also a sequence of strings, so it is refused by name.
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _is_whole(least: int, most: float = float("inf")) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


_NAMES = "a list of strings"
_TEXT_OR_NONE = "a string or None"

SETTINGS: Mapping[str, Setting] = {
    "ENABLED": Setting(True, _is(bool), "True or False"),
    "CACHE_ALIAS": Setting("throttling", _is(str), "a string"),
    "KEY_PREFIX": Setting("throttling", _is(str), "a string"),
    "TRUSTED_PROXIES": Setting((), _is_name_list, _NAMES),
    "IPV6_PREFIX": Setting(64, _is_whole(1, 128), "a whole number from 1 to 128"),
    "AUTHENTICATED_POLICIES": Setting(("api", "conditional"), _is_name_list, _NAMES),
    "ANONYMOUS_POLICIES": Setting(("anon",), _is_name_list, _NAMES),
    "POLICIES": Setting({}, _is(Mapping), "a dict"),
    "PLANS": Setting({}, _is(Mapping), "a dict"),
    "PLAN_OF": Setting(None, _is_text_or_none, _TEXT_OR_NONE),
    "TOKEN_OF": Setting(None, _is_text_or_none, _TEXT_OR_NONE),
    "LOCAL_PROCESSES": Setting(1, _is_whole(1), "a whole number from 1"),
    "COARSE_LOGIN_RATE": Setting("300/m", _is_text_or_none, _TEXT_OR_NONE),
    "KNOWN_ADDRESS_DAYS": Setting(30, _is_whole(1), "a whole number from 1"),
    "ALLOWLIST_MAX_AGE": Setting(10, _is_seconds, "seconds, 0 or more"),
}

_EMPTY: Mapping[str, Any] = {}


def declared() -> Mapping[str, Any]:
    return getattr(settings, "THROTTLING", _EMPTY)


def value(name: str) -> Any:
    return declared().get(name, SETTINGS[name].default)


def mistakes() -> Iterator[str]:
    """Yield a sentence for each unknown key and each value that breaks its rule."""
    given: object = declared()
    if not isinstance(given, Mapping):
        yield f"THROTTLING is {given!r}; it must be a dict."
        return
    for key, found in given.items():
        setting = SETTINGS.get(key)
        if setting is None:
            yield f"THROTTLING has no key {key!r}."
        elif not setting.accepts(found):
            yield f"THROTTLING[{key!r}] is {found!r}; it must be {setting.rule}."


class IdentityKey:
    """Hash and compare by identity, to cache per settings object."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityKey) and self.thing is other.thing


def enabled() -> bool:
    """Return False to limit nothing and never ask Redis."""
    return bool(value("ENABLED"))


def cache_alias() -> str:
    return str(value("CACHE_ALIAS"))


def key_prefix() -> str:
    """Return the prefix of all keys, in braces: the hash tag keeps the buckets of one call in one
    slot of a Redis Cluster."""
    prefix = str(value("KEY_PREFIX"))
    return prefix if "{" in prefix else f"{{{prefix}}}"


def trusted_proxies() -> tuple[Network, ...]:
    return _networks(tuple(proxy for proxy in value("TRUSTED_PROXIES") if proxy != UNIX_SOCKET))


def unix_socket_trusted() -> bool:
    return UNIX_SOCKET in value("TRUSTED_PROXIES")


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def ipv6_prefix() -> int:
    """Return how many leading bits identify one IPv6 client; a subscriber is usually given a /64."""
    return int(value("IPV6_PREFIX"))


def authenticated_policies() -> tuple[str, ...]:
    """Return the policies that every request with a valid credential is charged to."""
    return tuple(value("AUTHENTICATED_POLICIES"))


def anonymous_policies() -> tuple[str, ...]:
    """Return the policies that every request without a valid credential is charged to."""
    return tuple(value("ANONYMOUS_POLICIES"))


def plans() -> Mapping[str, Mapping[str, str]]:
    """Return the rates of each plan; a plan replaces the rates of policies."""
    plans: Mapping[str, Mapping[str, str]] = value("PLANS")
    return plans


def plan_of() -> Callable[[Any], str | None] | None:
    """Return the function ``PLAN_OF``: request -> name of the plan, or None for the usual rates."""
    return _function("PLAN_OF")


def token_of() -> Callable[[Any], str | None] | None:
    """Return the function ``TOKEN_OF``: request -> name of its API token on the allowlist.

    The name is not the secret itself.
    """
    return _function("TOKEN_OF")


def _function(name: str) -> Callable[[Any], str | None] | None:
    path = value(name)
    return import_string(path) if path else None


def local_processes() -> int:
    """Return among how many processes a limit is divided while each counts alone."""
    return int(value("LOCAL_PROCESSES"))


def coarse_login_rate() -> str | None:
    """Return django-ratelimit's rate per address for POSTs of login pages; None: no flood guard."""
    rate = value("COARSE_LOGIN_RATE")
    return None if rate is None else str(rate)


def known_address_age() -> timedelta:
    """Return how long an address stays known after a successful login."""
    return timedelta(days=int(value("KNOWN_ADDRESS_DAYS")))


def allowlist_max_age() -> float:
    """Return after how many seconds a process rereads the allowlist without an announced change."""
    return float(value("ALLOWLIST_MAX_AGE"))
