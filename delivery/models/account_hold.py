from __future__ import annotations

from django.db import models
from django.db.models import Q


class AccountHold(models.Model):
    """Nothing is sent through a provider account until somebody has put it right."""

    account = models.CharField(max_length=12)
    code = models.CharField(max_length=40)
    """The provider's code, or ``http_401``."""
    title = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """When it ends by itself (a daily limit); None: only a person ends it."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(ended_at__isnull=True), name="account_hold_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} since {self.since:%Y-%m-%d %H:%M}"
