"""A project with UUID keys (``ALONE_KEYS=uuid``) or text keys (``ALONE_KEYS=text``) everywhere."""

from __future__ import annotations

import os
from typing import Any

from tests.delivery.alone import settings as plain

SECRET_KEY, DATABASES, DEFAULT_AUTO_FIELD = (
    plain.SECRET_KEY,
    plain.DATABASES,
    plain.DEFAULT_AUTO_FIELD,
)
USE_TZ = os.environ.get("ALONE_USE_TZ", "1") == "1"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.delivery.alone.keyed.urls"
AUTH_USER_MODEL = "keyed.Person"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django_q",
    "tests.delivery.alone.keyed",
    "delivery",
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
_MODELS = {"uuid": ("keyed.Club", "keyed.Visitor"), "text": ("keyed.Shop", "keyed.Customer")}
TENANT_MODEL, RECIPIENT_MODEL = _MODELS[os.environ.get("ALONE_KEYS", "uuid")]
DELIVERY: dict[str, Any] = {
    **plain.DELIVERY,
    "TENANT_MODEL": TENANT_MODEL,
    "RECIPIENT_MODEL": RECIPIENT_MODEL,
    "TENANT_NUMBER_FIELD": "phone_number",
    "RECIPIENT_TENANT_FIELD": "tenant",
    "RECIPIENT_NUMBER_FIELD": "phone",
    "TENANT_RATE": 1000,
}
Q_CLUSTER = plain.Q_CLUSTER
