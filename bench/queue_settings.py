"""A small project in which every contender of ``bench_queue.py`` is installed that can be imported.

``BENCH_QUEUE`` names the contender that runs: delivery and plain django-q2 need different clusters.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

SECRET_KEY = "only for this benchmark, and long enough for the checks of Django 0123"  # noqa: S105  # it signs nothing that is kept
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_OPTIONAL = {
    "django_tasks_db": ["django_tasks", "django_tasks_db"],
    "procrastinate": ["procrastinate.contrib.django"],
}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_q",
    "tests.delivery.alone.host",
    "delivery",
    *(app for module, apps in _OPTIONAL.items() if find_spec(module) for app in apps),
]
_database = urlsplit(os.environ["BENCH_DATABASE"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.removeprefix("/"),
        "USER": _database.username,
        "HOST": unquote(_database.hostname or ""),
    }
}
REDIS_SOCKET = os.environ["BENCH_REDIS_SOCKET"]
DELIVERY: dict[str, Any] = {
    "TENANT_MODEL": "host.Gym",
    "RECIPIENT_MODEL": "host.Guest",
    "TENANT_NUMBER_FIELD": "number",
    "RECIPIENT_TENANT_FIELD": "gym",
    "RECIPIENT_NUMBER_FIELD": "mobile",
    "PROVIDERS": {
        "telnyx": {
            "BACKEND": "delivery.providers.telnyx.provider.TelnyxProvider",
            "API_KEY": "KEY_OF_THE_BENCH",
            "API_BASE": os.environ.get("BENCH_SINK", ""),
        },
    },
    "REDIS_URL": f"unix://{REDIS_SOCKET}?db=0",
    "PUBLIC_URL": "https://gym.example",
    "ACCOUNT_RATE": None,
    "SENDER_RATE": None,
    "DAILY_PARTS": None,
}
Q_CLUSTER: dict[str, Any] = {"name": "bench", "timeout": 60, "retry": 90, "log_level": "WARNING"}
if os.environ.get("BENCH_QUEUE", "").startswith("django-q2"):
    Q_CLUSTER |= {"workers": 1, "redis": f"unix://{REDIS_SOCKET}?db=1"}
    if os.environ["BENCH_QUEUE"] == "django-q2, save_limit -1":
        Q_CLUSTER["save_limit"] = -1
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
PROCRASTINATE_IMPORT_PATHS = ["queue_tasks"]
