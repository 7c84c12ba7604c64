from __future__ import annotations

from django.conf import settings
from django.db import models

from koinonia.models.church import Church


class Role(models.TextChoices):
    """What a person may do in a church (contract section 4)."""

    OWNER = "owner"
    """Everything, the church itself and its staff too."""
    SENDER = "sender"
    """Sends, and keeps members, groups, conversations and dead letters."""
    VIEWER = "viewer"
    """Reads everything, changes nothing."""


class Staff(models.Model):
    """A user's place in a church."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="staff")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = "staff"
        constraints = [
            models.UniqueConstraint(fields=["church", "user"], name="staff_once_per_church"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="staff_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role} of {self.church})"
