from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

REDIS = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://localhost/2"}
SLOWLY = {"LOCATION": "redis://localhost/2?socket_timeout=5"}
ELSEWHERE = {"LOCATION": "redis://localhost/3"}
OWN_KEYS = {"OPTIONS": {"CLIENT_CLASS": "koinonia.config.redis_cache.PrefixClient"}}
DJANGOS = {"BACKEND": "django.core.cache.backends.redis.RedisCache"}
QUICK = {**REDIS, "OPTIONS": {"SOCKET_TIMEOUT": 0.1}}


def _ids() -> list[str | None]:
    return [message.id for message in run_checks(tags=["throttling"])]


def test_the_project_passes() -> None:
    assert _ids() == []


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"POLICIES": {"api": "lots"}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"rate": "1/m", "by": "moon phase"}}}, ["throttling.E001"]),
        ({"POLICIES": {"mine": {"rate": "1/m"}}}, ["throttling.E001"]),
        ({"POLICIES": {"mine": "1/m"}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"colour": "red"}}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"on_failure": "panic"}}}, ["throttling.E001"]),
        ({"POLICIES": {"api": "99999999/d"}}, ["throttling.E001"]),
        ({"POLICIES": {"api": 5}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"rate": 5}}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"longest_wait": None}}}, ["throttling.E001"]),
        ({"POLICIES": {"api": {"longest_wait": -1}}}, ["throttling.E001"]),
        ({"POLICIES": {"two words": {"rate": "1/m", "by": "user"}}}, ["throttling.E001"]),
        ({"POLICIES": ["api"]}, ["throttling.E009"]),
        ({"PLANS": {"large": "1/m"}}, ["throttling.E002"]),
        ({"PLANS": {"large": {"api": 5}}}, ["throttling.E002"]),
        ({"PLANS": {"large": {"api": "lots"}}}, ["throttling.E002"]),
        ({"PLANS": {"large": {"nonsense": "1/m"}}}, ["throttling.E002"]),
        ({"AUTHENTICATED_POLICIES": ["nonsense"]}, ["throttling.E003"]),
        ({"ANONYMOUS_POLICIES": ["nonsense"]}, ["throttling.E003"]),
        ({"TRUSTED_PROXIES": ["10.0.0.0/99"]}, ["throttling.E004"]),
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, ["throttling.E009"]),
        ({"AUTHENTICATED_POLICIES": "api"}, ["throttling.E009"]),
        ({"CACHE_ALIAS": "nonsense"}, ["throttling.E005"]),
        ({"PLAN_OF": "no.such.function"}, ["throttling.E006"]),
        ({"TOKEN_OF": "no.such.function"}, ["throttling.E006"]),
        ({"TOKEN_OF": "throttling.conf.UNIX_SOCKET"}, ["throttling.E006"]),
        ({"POLICES": {"api": "1/m"}}, ["throttling.E009"]),
        ({"ENABLED": "0"}, ["throttling.E009"]),
        ({"IPV6_PREFIX": 129}, ["throttling.E009"]),
        ({"LOCAL_PROCESSES": 0}, ["throttling.E009"]),
        ({"KNOWN_ADDRESS_DAYS": "thirty"}, ["throttling.E009"]),
        ({"ALLOWLIST_MAX_AGE": -1}, ["throttling.E009"]),
        ({"COARSE_LOGIN_RATE": "300 a minute"}, ["throttling.E007"]),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_at_start(
    settings: Settings, declared: dict[str, Any], expected: list[str]
) -> None:
    settings.ROOT_URLCONF = "tests.throttling.empty_urls"
    settings.THROTTLING = declared
    assert _ids() == expected


@pytest.mark.parametrize(
    ("caches", "expected"),
    [
        ({"throttling": QUICK}, []),
        ({"throttling": REDIS}, ["throttling.W002"]),
        ({"throttling": QUICK, "other": QUICK}, ["throttling.W001"]),
        ({"throttling": QUICK, "other": {**QUICK, **ELSEWHERE}}, []),
        ({"throttling": QUICK, "other": {**REDIS, **SLOWLY}}, ["throttling.W001"]),
        ({"throttling": QUICK, "other": {**REDIS, **OWN_KEYS}}, ["throttling.W001"]),
        ({"throttling": QUICK, "other": {**REDIS, **SLOWLY, **OWN_KEYS}}, []),
        ({"throttling": QUICK, "other": {**DJANGOS, **SLOWLY}}, ["throttling.W001"]),
        (
            {"throttling": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
            ["throttling.E005"],
        ),
    ],
    ids=[
        "good",
        "no time-out",
        "shared",
        "another database",
        "shared by another address",
        "time-outs shared",
        "clears only its own keys",
        "shared with Django's own",
        "not Redis",
    ],
)
def test_the_cache_is_checked(
    settings: Settings, caches: dict[str, Any], expected: list[str]
) -> None:
    settings.ROOT_URLCONF = "tests.throttling.empty_urls"
    settings.RATELIMIT_USE_CACHE = "default"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        **caches,
    }
    assert _ids() == expected


def test_the_flood_guard_needs_its_cache(settings: Settings) -> None:
    settings.RATELIMIT_USE_CACHE = "nonsense"
    assert _ids() == ["throttling.E007"]


def test_a_view_with_an_unknown_policy_is_reported(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.throttling.api"
    settings.THROTTLING = {"POLICIES": {"messages": {"rate": "1/m", "by": "user"}}}
    assert set(_ids()) == {"throttling.E008"}


def test_the_message_names_the_wrong_setting(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.throttling.empty_urls"
    settings.THROTTLING = {"LOCAL_PROCESSES": 0, "POLICES": {}}
    messages = [message.msg for message in run_checks(tags=["throttling"])]
    assert messages == [
        "THROTTLING['LOCAL_PROCESSES'] is 0; it must be a whole number from 1.",
        "THROTTLING has no key 'POLICES'.",
    ]


def test_a_missing_middleware_is_reported(settings: Settings) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "throttling" not in name]
    assert _ids() == ["throttling.W003"]
