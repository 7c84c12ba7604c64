"""A project with httpopt alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.httpopt.alone.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "httpopt",
    "tests.httpopt.alone.library",
]
MIDDLEWARE = [
    "httpopt.middleware.CompressionMiddleware",
    "httpopt.middleware.CodedBodyMiddleware",
    "httpopt.middleware.ContentHashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
]
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {}}
]
STATIC_URL = "/static/"


def _database() -> dict[str, Any]:
    if "DATABASE_URL" not in os.environ:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(os.environ.get("DATA_DIR", "/tmp")) / "alone.sqlite3",  # noqa: S108 -- pytest gives DATA_DIR
        }
    url = urlsplit(os.environ["DATABASE_URL"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        # The parent test run has a test database on the same server.
        "TEST": {"NAME": f"alone_{os.getpid()}"},
    }


DATABASES = {"default": _database()}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tests.httpopt.alone.library.permissions.ByName"],
    "DEFAULT_RENDERER_CLASSES": [
        "httpopt.renderers.OrjsonRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "httpopt.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
HTTPOPT = {"TRACKED": "tests.httpopt.alone.library.tracked.TRACKED"}
