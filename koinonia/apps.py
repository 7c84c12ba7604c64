from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class KoinoniaConfig(AppConfig):
    name = "koinonia"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from koinonia import support, wiring
        from koinonia.health import metrics

        wiring.connect()
        post_migrate.connect(support.grant, dispatch_uid="koinonia.support")
        metrics.register()
