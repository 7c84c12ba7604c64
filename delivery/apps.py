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
        pre_migrate.connect(install.before_migrate, sender=self)
        post_migrate.connect(install.after_migrate, sender=self)
        pre_migrate.connect(batches.kept.before_migrate, sender=self)
        post_migrate.connect(batches.kept.after_migrate, sender=self)
