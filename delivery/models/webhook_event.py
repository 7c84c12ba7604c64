from __future__ import annotations

from django.db import models


class WebhookEvent(models.Model):
    """One event from the provider, as it came. Applied once, however often it comes."""

    event_id = models.CharField(max_length=64, unique=True)
    event_type = models.CharField(max_length=64)
    provider_id = models.CharField(max_length=64, blank=True, db_index=True)
    """The provider's id of the message (``data.payload.id``)."""
    ref = models.CharField(max_length=64, blank=True)
    """From the per-message URL: a hint at our message, never proof."""
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    payload = models.JSONField()
    applied_at = models.DateTimeField(null=True, blank=True)
    """None while it waits: for its batch, or for its message to appear."""

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at", "id"],
                condition=models.Q(applied_at__isnull=True),
                name="webhook_event_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
