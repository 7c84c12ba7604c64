from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from throttling import allowlist, limits, stores
from throttling.buckets import BucketStore
from throttling.outage import Outage


@pytest.fixture(autouse=True)
def nothing_counted_yet(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """Full buckets, no copy of the allowlist, no outage, and a Redis that may take its time."""
    patient = {"OPTIONS": {"SOCKET_TIMEOUT": 5, "SOCKET_CONNECT_TIMEOUT": 5}}
    for alias, database in (("throttling", 12), ("ratelimit", 14)):
        location = f"{settings.CACHES[alias]['LOCATION'].partition('?')[0]}?db={database}"
        cache = {**settings.CACHES[alias], "LOCATION": location, **patient}
        settings.CACHES = {**settings.CACHES, alias: cache}
    monkeypatch.setattr(limits, "outage", Outage())
    client = stores.shared().client
    client.flushdb()
    stores.local.clear()
    allowlist.forget()
    yield
    client.flushdb()
    allowlist.forget()


@pytest.fixture
def store() -> BucketStore:
    return stores.shared()


@pytest.fixture
def api(settings: Settings) -> Client:
    """A client of ``tests.throttling.api``."""
    settings.ROOT_URLCONF = "tests.throttling.api"
    settings.MIDDLEWARE = [
        "throttling.middleware.RateLimitHeadersMiddleware",
        *(name for name in settings.MIDDLEWARE if not name.startswith(("throttling.", "httpopt."))),
    ]
    settings.REST_FRAMEWORK = {
        # DRF reads the others once, when its views are imported: for all tests of the run.
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
