"""Calls to the provider: each attempt to send, and look-ups of a message's status."""

from __future__ import annotations

from django.db import models

from delivery.models.message import Message


class Outcome(models.TextChoices):
    """What one call to the provider came to."""

    ACCEPTED = "accepted"
    """The provider took it."""
    RETRYABLE = "retryable"
    """It certainly did not take it; another try may help."""
    AMBIGUOUS = "ambiguous"
    """It may have taken it: the answer was lost."""
    THROTTLED = "throttled"
    """429: a pause, no attempt spent."""
    PERMANENT = "permanent"
    """It will never take this text."""
    CONFIGURATION = "configuration"
    """The account or the sender is wrong: everything would fail."""


class Attempt(models.Model):
    """One call to the provider for a message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempt_rows")
    number = models.PositiveIntegerField()
    """From 1, over all generations."""
    generation = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    outcome = models.CharField(max_length=13, choices=Outcome)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of message {self.message_id}: {self.outcome}"


class StatusCheck(models.Model):
    """The watchdog's note on a message whose fate it asks the provider about."""

    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, related_name="status_check"
    )
    times = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Message {self.message_id}: asked {self.times} times"
