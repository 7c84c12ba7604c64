"""All settings of the project, in one place. What varies comes from ``koinonia.environment``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from koinonia import environment
from koinonia.environment import redis_database

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = environment.read(BASE_DIR)

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key or "only-for-commands-that-need-none"
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "koinonia",
    "delivery",
    "realtime",
    "throttling",
    "httpopt",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "koinonia.urls"
ASGI_APPLICATION = "koinonia.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    if not ENV.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ENV.data_dir / "koinonia.sqlite3",
            # Writers queue at BEGIN instead of failing in the middle.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA busy_timeout=20000",
            },
        }
    url = urlsplit(ENV.database_url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Each use has its own Redis database, for cache.clear() is FLUSHDB.
CHANNELS_REDIS_URL = redis_database(ENV.redis_url, 0)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": redis_database(ENV.redis_url, 1),
    },
    "throttling": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": redis_database(ENV.redis_url, 2),
        "OPTIONS": {"SOCKET_TIMEOUT": 0.1, "SOCKET_CONNECT_TIMEOUT": 0.1},
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py 8 would close idle sockets after 5 s.
        "CONFIG": {"hosts": [{"address": CHANNELS_REDIS_URL, "socket_timeout": None}]},
    },
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = ENV.data_dir / "static"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"

DELIVERY = {
    "TENANT_MODEL": "koinonia.Church",
    "RECIPIENT_MODEL": "koinonia.Member",
    "TENANT_NUMBER_FIELD": "phone_number",
    "RECIPIENT_TENANT_FIELD": "church",
    "RECIPIENT_NUMBER_FIELD": "phone",
    "REDIS_URL": redis_database(ENV.redis_url, 3),
    "PUBLIC_URL": ENV.public_url,
    "API_KEY": ENV.telnyx_api_key,
    "API_BASE": ENV.telnyx_api_base,
    "PUBLIC_KEY": ENV.telnyx_public_key,
}
REALTIME: dict[str, Any] = {}
THROTTLING: dict[str, Any] = {}
HTTPOPT: dict[str, Any] = {}

# django-q2 runs processes for the delivery worker; nothing more is asked of it.
Q_CLUSTER: dict[str, Any] = {
    "name": "delivery",
    "workers": 1,
    "queue_limit": 1,
    "timeout": 60,
    "retry": 90,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 1000,
    "log_level": "WARNING",
    "catch_up": False,
    "redis": redis_database(ENV.redis_url, 3),
}

REST_FRAMEWORK: dict[str, Any] = {}
