"""System checks of the settings, the views and the middleware."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string
from django_redis.client import DefaultClient
from redis.connection import parse_url

from throttling import conf, policies
from throttling.rates import InvalidRateError, parse

_HINT = "A rate is count/[n]period[:burst], such as '100/m', '1000/m:200' or '5/15m'."
_FLOOD_GUARD_RATE = re.compile(r"\d+/\d*[smhd]")
_MIDDLEWARE = "throttling.middleware.RateLimitHeadersMiddleware"


@register("throttling")
def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    mistakes = list(conf.mistakes())
    if mistakes:
        # A value of a wrong type would break the remaining checks.
        return [
            Error(sentence, hint="See throttling/conf.py.", id="throttling.E009")
            for sentence in mistakes
        ]
    return [
        *_policies(),
        *_plans(),
        *_policies_of_every_request(),
        *_proxies(),
        *_cache(),
        *_functions(),
        *_flood_guard(),
        *_middleware(),
    ]


@register("throttling")
def check_views(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Report views that name an undeclared policy."""
    if not getattr(settings, "ROOT_URLCONF", None) or any(conf.mistakes()):
        return []
    return [
        Error(
            f"{view.__name__}.throttle_policies names {name!r}, which THROTTLING does not declare.",
            hint="Declare it in THROTTLING['POLICIES'].",
            id="throttling.E008",
        )
        for view in dict.fromkeys(_view_classes(get_resolver().url_patterns))
        for name in _policies_named_by(view)
        if name not in policies.declarations()
    ]


def _policies() -> Iterator[CheckMessage]:
    for name, declaration in policies.declarations().items():
        try:
            policies.read(name, declaration, {})
        except policies.InvalidPolicyError as error:
            yield Error(
                f"THROTTLING['POLICIES'][{name!r}] {error}.", hint=_HINT, id="throttling.E001"
            )


def _plans() -> Iterator[CheckMessage]:
    plans: Mapping[str, object] = conf.plans()
    for plan, rates in plans.items():
        if not isinstance(rates, Mapping):
            yield Error(
                f"THROTTLING['PLANS'][{plan!r}] is {rates!r}; it must be a dict of rates by policy.",
                hint=_HINT,
                id="throttling.E002",
            )
            continue
        for name, rate in rates.items():
            if name not in policies.declarations():
                yield Error(
                    f"THROTTLING['PLANS'][{plan!r}] names the unknown policy {name!r}.",
                    hint="Declare it in THROTTLING['POLICIES'].",
                    id="throttling.E002",
                )
            try:
                parse(rate)
            except InvalidRateError as error:
                yield Error(
                    f"THROTTLING['PLANS'][{plan!r}][{name!r}]: {error}",
                    hint=_HINT,
                    id="throttling.E002",
                )


def _policies_of_every_request() -> Iterator[CheckMessage]:
    for setting, names in (
        ("AUTHENTICATED_POLICIES", conf.authenticated_policies()),
        ("ANONYMOUS_POLICIES", conf.anonymous_policies()),
    ):
        for name in names:
            if name not in policies.declarations():
                yield Error(
                    f"THROTTLING[{setting!r}] names the unknown policy {name!r}.",
                    hint="Declare it in THROTTLING['POLICIES'].",
                    id="throttling.E003",
                )


def _proxies() -> Iterator[CheckMessage]:
    try:
        conf.trusted_proxies()
    except ValueError as error:
        yield Error(
            f"THROTTLING['TRUSTED_PROXIES']: {error}.",
            hint="List addresses or CIDRs such as '10.0.0.0/8', or 'unix' for a unix socket.",
            id="throttling.E004",
        )


def _cache() -> Iterator[CheckMessage]:
    alias = conf.cache_alias()
    cache = settings.CACHES.get(alias)
    if cache is None or not str(cache.get("BACKEND", "")).startswith("django_redis."):
        yield Error(
            f"THROTTLING needs a django-redis cache with the alias {alias!r}.",
            hint="Declare it in CACHES (BACKEND 'django_redis.cache.RedisCache'), or name another "
            "by THROTTLING['CACHE_ALIAS'].",
            id="throttling.E005",
        )
        return
    others = [other for name, other in settings.CACHES.items() if name != alias]
    if any(_flushes(other, cache) or _shares_pool(other, cache) for other in others):
        yield checks.Warning(
            f"The cache {alias!r} shares its Redis database with another cache.",
            hint="Give this cache its own database, or the other cache a client whose clear() deletes "
            "only its own keys. Otherwise cache.clear() fills every bucket. With the same LOCATION, "
            "django-redis also shares the time-outs of the two caches.",
            id="throttling.W001",
        )
    if not cache.get("OPTIONS", {}).get("SOCKET_TIMEOUT"):
        yield checks.Warning(
            f"The cache {alias!r} has no SOCKET_TIMEOUT: a frozen Redis would block requests.",
            hint="Set OPTIONS SOCKET_TIMEOUT and SOCKET_CONNECT_TIMEOUT to about 0.1 s.",
            id="throttling.W002",
        )


def _flushes(other: Mapping[str, Any], cache: Mapping[str, Any]) -> bool:
    """Return True if ``other.clear()`` flushes the database of ``cache``."""
    one_database = _database(other.get("LOCATION")) == _database(cache.get("LOCATION"))
    return bool(one_database) and _clears_by_flushing(other)


def _clears_by_flushing(cache: Mapping[str, Any]) -> bool:
    backend = str(cache.get("BACKEND", ""))
    if not backend.startswith("django_redis."):
        return backend == "django.core.cache.backends.redis.RedisCache"
    path = cache.get("OPTIONS", {}).get("CLIENT_CLASS", "django_redis.client.DefaultClient")
    client: Any = import_string(path)
    return bool(client.clear is DefaultClient.clear)


def _shares_pool(other: Mapping[str, Any], cache: Mapping[str, Any]) -> bool:
    """Return True if django-redis gives both caches one connection pool.

    The cache that is used first then decides the time-outs of both.
    """
    if other.get("LOCATION") != cache.get("LOCATION"):
        return False
    names = ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
    own, others = cache.get("OPTIONS", {}), other.get("OPTIONS", {})
    return any(own.get(name) != others.get(name) for name in names)


def _database(location: Any) -> Any:
    """Return the server and database of a LOCATION, or the LOCATION if it is not a single URL."""
    try:
        read: Any = parse_url  # redis-py leaves it untyped
        found: dict[str, Any] = read(str(location))
    except ValueError:
        return location
    return tuple(
        found.get(name, default) for name, default in
        (("host", ""), ("port", 6379), ("path", ""), ("db", 0))
    )  # fmt: skip


def _functions() -> Iterator[CheckMessage]:
    for setting in ("PLAN_OF", "TOKEN_OF"):
        path = conf.value(setting)
        try:
            problem = None if path is None or callable(import_string(path)) else "is not a function"
        except ImportError as error:
            problem = f"cannot be imported: {error}"
        if problem is not None:
            yield Error(
                f"THROTTLING[{setting!r}] {problem}.",
                hint="Name a function as 'package.module.function'.",
                id="throttling.E006",
            )


def _flood_guard() -> Iterator[CheckMessage]:
    rate = conf.coarse_login_rate()
    if rate is not None and not _FLOOD_GUARD_RATE.fullmatch(rate):
        yield Error(
            f"THROTTLING['COARSE_LOGIN_RATE'] is {rate!r}, which django-ratelimit cannot read.",
            hint="Write count/[n]period, such as '300/m', or None for no flood guard.",
            id="throttling.E007",
        )
    alias = getattr(settings, "RATELIMIT_USE_CACHE", "default")
    if conf.coarse_login_rate() is not None and alias not in settings.CACHES:
        yield Error(
            f"RATELIMIT_USE_CACHE names the cache {alias!r}, which CACHES does not declare.",
            hint="Declare it, or set THROTTLING['COARSE_LOGIN_RATE'] to None.",
            id="throttling.E007",
        )


def _middleware() -> Iterator[CheckMessage]:
    if _MIDDLEWARE not in (getattr(settings, "MIDDLEWARE", None) or ()):
        yield checks.Warning(
            "RateLimitHeadersMiddleware is missing: no answer carries rate limit headers, and a 304 "
            "is not refunded.",
            hint=f"Put {_MIDDLEWARE!r} above the middleware that answers conditional requests.",
            id="throttling.W003",
        )


def _view_classes(patterns: list[URLPattern | URLResolver]) -> Iterator[type]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _view_classes(pattern.url_patterns)
            continue
        view = getattr(pattern.callback, "cls", None) or getattr(
            pattern.callback, "view_class", None
        )
        if view is not None:
            yield view


def _policies_named_by(view: type) -> set[str]:
    declared = getattr(view, "throttle_policies", ())
    if isinstance(declared, dict):
        return {name for names in declared.values() for name in names}
    return set(declared)
