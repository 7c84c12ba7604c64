from __future__ import annotations

from django.apps import AppConfig


class ThrottlingConfig(AppConfig):
    name = "throttling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from throttling import checks, receivers  # noqa: F401  # registers

        receivers.connect()
