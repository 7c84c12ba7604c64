from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from throttling import allowlist, limits, shared_buckets
from throttling.buckets import BucketStore
from throttling.shared_buckets import RedisOutage


@pytest.fixture(autouse=True)
def full_buckets(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """Start with full buckets, no copy of the allowlist and no outage; allow a slow Redis."""
    slow = {"OPTIONS": {"SOCKET_TIMEOUT": 5, "SOCKET_CONNECT_TIMEOUT": 5}}
    for alias, database in (("throttling", 12), ("ratelimit", 14)):
        location = f"{settings.CACHES[alias]['LOCATION'].partition('?')[0]}?db={database}"
        cache = {**settings.CACHES[alias], "LOCATION": location, **slow}
        settings.CACHES = {**settings.CACHES, alias: cache}
    monkeypatch.setattr(limits, "outage", RedisOutage())
    client = shared_buckets.store().client
    client.flushdb()
    shared_buckets.local.clear()
    allowlist.forget()
    yield
    client.flushdb()
    allowlist.forget()


@pytest.fixture
def store() -> BucketStore:
    return shared_buckets.store()


@pytest.fixture
def api(settings: Settings) -> Client:
    """Return a client of ``tests.throttling.api``."""
    settings.ROOT_URLCONF = "tests.throttling.api"
    settings.MIDDLEWARE = [
        "throttling.middleware.RateLimitHeadersMiddleware",
        *(name for name in settings.MIDDLEWARE if not name.startswith(("throttling.", "httpopt."))),
    ]
    settings.REST_FRAMEWORK = {
        # DRF reads its other settings once, when its views are imported.
        **settings.REST_FRAMEWORK,
        "EXCEPTION_HANDLER": "throttling.drf.exception_handler",
    }
    set_policies(settings)
    return Client()


def set_policies(settings: Settings, **over: Any) -> None:
    policies = {
        "messages": {"rate": "100/m", "by": "user", "on_failure": "local"},
        "broadcasts": {"rate": "10/h", "by": "url:church", "on_failure": "local"},
    }
    settings.THROTTLING = {"POLICIES": {**policies, **over}}
