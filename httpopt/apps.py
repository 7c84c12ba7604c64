from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class HttpoptConfig(AppConfig):
    name = "httpopt"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and let ``migrate`` install the triggers."""
        from httpopt import checks  # noqa: F401 -- registers the system checks
        from httpopt.versions import triggers

        pre_migrate.connect(triggers.before_migrate, sender=self)
        post_migrate.connect(triggers.after_migrate, sender=self)
