"""Settings for ``OTHER_APP`` in a project with a custom user model; ``OTHER_USE_TZ=0`` turns time zones off."""

from __future__ import annotations

import os
from pathlib import Path

SECRET_KEY = "only for this test, and long enough to please the checks of Django 0123456789"
APP = os.environ["OTHER_APP"]
USE_TZ = os.environ.get("OTHER_USE_TZ", "1") == "1"
TIME_ZONE = "America/Chicago"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.other_users.urls"
AUTH_USER_MODEL = "other_users.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["OTHER_DIRECTORY"]) / "other.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "channels",
    "tests.other_users",
    APP,
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "throttling": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
        "OPTIONS": {"SOCKET_TIMEOUT": 5, "SOCKET_CONNECT_TIMEOUT": 5},
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": None}]},
    }
}
REALTIME = {"MAY_LISTEN": "tests.other_users.walk.may_listen"}
THROTTLING = {"KEY_PREFIX": "other", "POLICIES": {"api": "2/m"}}
HTTPOPT = {"TRACKED": os.environ.get("OTHER_TRACKED", "")}
REST_FRAMEWORK = {"EXCEPTION_HANDLER": "throttling.drf.exception_handler"}
