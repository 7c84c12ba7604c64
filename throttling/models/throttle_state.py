from __future__ import annotations

from django.db import models


class ThrottleState(models.Model):
    """No table: gives the admin's page of buckets its place in the index and its permissions."""

    class Meta:
        managed = False
        default_permissions = ("view", "change")
        verbose_name = "throttle state"
        verbose_name_plural = "throttle state"

    def __str__(self) -> str:
        return "throttle state"
