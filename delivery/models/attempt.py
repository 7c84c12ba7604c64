"""Calls to the provider: each attempt to send, and look-ups of a message's status."""

from __future__ import annotations

from django.db import models

from delivery.models.message import Message


class Outcome(models.TextChoices):
    """The outcome of one API call."""

    ACCEPTED = "accepted"
    """The provider accepted the message."""
    RETRYABLE = "retryable"
    """The provider did not accept it; a retry may succeed."""
    AMBIGUOUS = "ambiguous"
    """The provider may have accepted it: the answer was lost."""
    THROTTLED = "throttled"
    """429: pause, without using up an attempt."""
    PERMANENT = "permanent"
    """The provider will never accept this message."""
    CONFIGURATION = "configuration"
    """The account or the sender is not set up correctly: every message would fail."""


class Attempt(models.Model):
    """An API call for a message."""

    # The unique constraint begins with it.
    message = models.ForeignKey(
        Message, models.CASCADE, related_name="attempt_rows", db_index=False
    )
    number = models.PositiveIntegerField()
    """Counted from 1, across all generations."""
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
    """The watchdog's note on a message: how often it looked the message up at the provider."""

    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, related_name="status_check"
    )
    times = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Message {self.message_id}: looked up {self.times} times"
