"""The middleware before each list. ``ours`` is the middleware of the project, and is not listed here."""

from __future__ import annotations

PLAIN = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
STACKS = {
    "plain": PLAIN,
    "stock": [
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        *PLAIN,
    ],
    "django-http-compression": [
        "django_http_compression.middleware.HttpCompressionMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        *PLAIN,
    ],
}
