from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class KoinoniaConfig(AppConfig):
    name = "koinonia"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from koinonia import wiring
        from koinonia.accounts import support_group
        from koinonia.config import checks
        from koinonia.database import outage

        wiring.connect()
        checks.register()
        connection_created.connect(outage.log.connected, dispatch_uid="koinonia.database.outage")
        post_migrate.connect(support_group.grant, dispatch_uid="koinonia.accounts.support_group")
