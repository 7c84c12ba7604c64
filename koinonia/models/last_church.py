from __future__ import annotations

from django.conf import settings
from django.db import models

from koinonia.models.church import Church


class LastChurch(models.Model):
    """The church that a user looked at last: the console opens with it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    church = models.ForeignKey(Church, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"User {self.user_id}: {self.church}"
