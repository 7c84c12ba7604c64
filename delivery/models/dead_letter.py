"""Dead letters, and the audit rows of decisions about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from delivery.models.message import Message


class DeadLetter(Message):
    """A message in the admin's dead letter queue, with separate permissions."""

    class Meta:
        proxy = True
        verbose_name = "dead letter"


class DeadLetterAction(models.Model):
    """An audit row: one decision of a person about a dead letter. Written once, never changed."""

    class Kind(models.TextChoices):
        RETRY = "retry"
        DISCARD = "discard"
        REVIEW = "review"

    message = models.ForeignKey(Message, models.CASCADE, related_name="dead_letter_actions")
    kind = models.CharField(max_length=7, choices=Kind)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """None: decided on the command line."""
    at = models.DateTimeField()
    status = models.CharField(max_length=11)
    """The message's status before the action."""
    error_code = models.CharField(max_length=40, blank=True)
    """The message's error code before the action."""
    generation = models.PositiveSmallIntegerField()
    """The message's generation after the action."""
    may_double = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of message {self.message_id}"
