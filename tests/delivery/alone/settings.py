"""A second project: ``delivery`` without koinonia and without its sister apps."""

from __future__ import annotations

import os
from typing import Any

SECRET_KEY = "only for this test, and long enough to please the checks of Django 0123456789"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_q",
    "tests.delivery.alone.host",
    "delivery",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("ALONE_DATABASE", ":memory:"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DELIVERY: dict[str, Any] = {
    "TENANT_MODEL": "host.Gym",
    "RECIPIENT_MODEL": "host.Guest",
    "TENANT_NUMBER_FIELD": "number",
    "RECIPIENT_TENANT_FIELD": "gym",
    "RECIPIENT_NUMBER_FIELD": "mobile",
    "API_KEY": "KEY0",
    "PUBLIC_URL": "https://gym.example",
}
