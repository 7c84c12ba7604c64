"""A second project: ``realtime`` without koinonia and its sister apps. The project has clubs."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

SECRET_KEY = "only for this test, and long enough to please the checks of Django 0123456789"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "realtime",
]
# Empty, because a synchronous middleware would hold a thread for each waiting poll.
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.realtime.second_project.urls"
STATIC_URL = "/static/"


def _database() -> dict[str, Any]:
    url = urlsplit(os.environ.get("PROJECT_DATABASE", "sqlite:///:memory:"))
    if url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path.removeprefix("/"),
            "CONN_MAX_AGE": int(os.environ.get("PROJECT_CONN_MAX_AGE", "0")),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.username,
        "HOST": unquote(url.hostname or ""),
        "CONN_MAX_AGE": int(os.environ.get("PROJECT_CONN_MAX_AGE", "0")),
        "OPTIONS": {"prepare_threshold": 5} if "PROJECT_PREPARES" in os.environ else {},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True


def _layer() -> dict[str, Any]:
    if url := os.environ.get("PROJECT_REDIS_URL"):
        backend = os.environ.get("PROJECT_LAYER", "channels_redis.pubsub.RedisPubSubChannelLayer")
        host = {"address": url, "socket_timeout": None}
        return {"BACKEND": backend, "CONFIG": {"hosts": [host]}}
    return {"BACKEND": "channels.layers.InMemoryChannelLayer"}


CHANNEL_LAYERS = {"default": _layer()}
REALTIME: dict[str, Any] = {
    "MAY_LISTEN": "tests.realtime.second_project.clubs.may_listen",
    "LISTENERS": "tests.realtime.second_project.clubs.listeners",
    "BEARER": "tests.realtime.second_project.clubs.tokens",
    "CLIENT_ADDRESS": "tests.realtime.second_project.clubs.address_of",
    "ADDRESS_LIMIT": "tests.realtime.second_project.clubs.may_fail",
    "ENABLED": os.environ.get("PROJECT_ENABLED", "1") == "1",
    "ALLOWED_ORIGINS": ["https://club.example"],
    # Shorter than the defaults, which other tests check, so that each test is fast.
    "SWEEP_SECONDS": float(os.environ.get("PROJECT_SWEEP", "1")),
    "SOCKETS_PER_USER": int(os.environ.get("PROJECT_SOCKETS", "20")),
    "TAIL_CHECK_SECONDS": float(os.environ.get("PROJECT_TAIL", "1")),
    "COUNT_SECONDS": float(os.environ.get("PROJECT_COUNT", "2")),
    "KEEP_ALIVE_SECONDS": float(os.environ.get("PROJECT_KEEP_ALIVE", "75")),
    "HEARTBEAT_SECONDS": int(os.environ.get("PROJECT_HEARTBEAT", "25")),
}
# A fast hasher, because these passwords protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
