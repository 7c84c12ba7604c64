"""A project with the throttling app alone."""

from __future__ import annotations

import os

SECRET_KEY = "only-for-tests"
USE_TZ = True
ROOT_URLCONF = "tests.throttling.alone.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "throttling",
]
MIDDLEWARE = ["throttling.middleware.RateLimitHeadersMiddleware"]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "throttling": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
        "OPTIONS": {"SOCKET_TIMEOUT": 5, "SOCKET_CONNECT_TIMEOUT": 5},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
THROTTLING = {"KEY_PREFIX": "alone", "POLICIES": {"anon": "2/m"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["throttling.drf.PolicyThrottle"],
    "EXCEPTION_HANDLER": "throttling.drf.exception_handler",
}
