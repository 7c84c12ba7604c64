"""The deletion of a recipient, whichever door it comes through."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import pre_delete
from django.utils import timezone

from delivery import conf
from delivery.recipients import release


def connect() -> None:
    """Connect the deletion of recipients; called once, when all apps are ready."""
    recipients = apps.get_model(conf.recipient_model())
    pre_delete.connect(_release, sender=recipients, dispatch_uid="delivery.recipient")


def _release(*, instance: Model, **_: Any) -> None:
    """Cancel what waits, in the deletion's own transaction (Django opens one around its signals)."""
    release([instance.pk], timezone.now())
