from __future__ import annotations

from django.conf import settings
from django.db import models

from koinonia.models.church import Church


class Broadcast(models.Model):
    """One text to many members. ``delivery``'s messages point here by ``batch``."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="broadcasts")
    text = models.TextField()
    """As written, with its placeholders."""
    audience = models.JSONField()
    """``{"all": true}`` or ``{"groups": [id], "members": [id]}``, ids as the client sent them."""
    total = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="broadcasts"
    )
    created_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    """When the last of its messages left the hands of the worker."""
    progress_at = models.DateTimeField(null=True, blank=True)
    """When its last ``broadcast.progress`` event was written."""

    class Meta:
        indexes = [models.Index(fields=["church", "-id"], name="broadcast_list")]

    def __str__(self) -> str:
        return f"Broadcast {self.pk} of {self.church_id}"
