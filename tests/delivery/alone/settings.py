"""A second project: ``delivery`` without koinonia and the other reusable apps."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

SECRET_KEY = "only for this test, and long enough to please the checks of Django 0123456789"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_q",
    "tests.delivery.alone.host",
    "delivery",
]


def _database() -> dict[str, Any]:
    url = urlsplit(os.environ.get("ALONE_DATABASE", "sqlite:///:memory:"))
    if url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path.removeprefix("/"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.username,
        "HOST": unquote(url.hostname or ""),
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DELIVERY: dict[str, Any] = {
    "TENANT_MODEL": "host.Gym",
    "RECIPIENT_MODEL": "host.Guest",
    "TENANT_NUMBER_FIELD": "number",
    "RECIPIENT_TENANT_FIELD": "gym",
    "RECIPIENT_NUMBER_FIELD": "mobile",
    "PROVIDERS": {
        "telnyx": {
            "BACKEND": os.environ.get(
                "ALONE_PROVIDER", "delivery.providers.telnyx.provider.TelnyxProvider"
            ),
            "API_KEY": os.environ.get("ALONE_API_KEY", "KEY0"),
            "API_BASE": os.environ.get("ALONE_API_BASE", ""),
        },
    },
    "REDIS_URL": os.environ.get("ALONE_REDIS_URL", ""),
    "PUBLIC_URL": "https://gym.example",
    "LEASE_SECONDS": float(os.environ.get("ALONE_LEASE_SECONDS", "3")),
    "ACCOUNT_RATE": None,
    "SENDER_RATE": None,
}
Q_CLUSTER = {"name": "alone", "timeout": 60, "retry": 90}
