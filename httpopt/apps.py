from __future__ import annotations

from django.apps import AppConfig


class HttpoptConfig(AppConfig):
    name = "httpopt"
    default_auto_field = "django.db.models.BigAutoField"
