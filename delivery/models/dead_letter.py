"""Dead letters, and the audit rows of what people decided about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from delivery.models.message import Message


class DeadLetter(Message):
    """A message as the admin's dead letter queue shows it, with permissions of its own."""

    class Meta:
        proxy = True
        verbose_name = "dead letter"


class DeadLetterAction(models.Model):
    """What a person did about a dead letter. Written once, never changed."""

    class Kind(models.TextChoices):
        RETRY = "retry"
        DISCARD = "discard"
        REVIEW = "review"

    message = models.ForeignKey(Message, models.CASCADE, related_name="dead_letter_actions")
    kind = models.CharField(max_length=7, choices=Kind)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """None: from the command line."""
    at = models.DateTimeField()
    status = models.CharField(max_length=11)
    """The message's status before."""
    error_code = models.CharField(max_length=40, blank=True)
    """Why it was there."""
    generation = models.PositiveSmallIntegerField()
    """After the action."""
    may_double = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of message {self.message_id}"
