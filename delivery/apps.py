from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class DeliveryConfig(AppConfig):
    name = "delivery"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from delivery import (
            batches,
            checks,  # noqa: F401  # registers them
            recipients,
        )
        from delivery.tallies import install

        recipients.connect()
        for kept in (batches.kept, install.kept):
            pre_migrate.connect(kept.before_migrate, sender=self)
            post_migrate.connect(kept.after_migrate, sender=self)
