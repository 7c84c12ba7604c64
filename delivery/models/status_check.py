from __future__ import annotations

from django.db import models

from delivery.models.message import Message


class StatusCheck(models.Model):
    """The watchdog's note on a message whose fate it asks the provider about."""

    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, related_name="status_check"
    )
    times = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Message {self.message_id}: asked {self.times} times"
