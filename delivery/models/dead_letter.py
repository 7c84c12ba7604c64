"""Dead letters, the audit rows of decisions about them, and the tools of the support desk."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from delivery.models.message import Message, loose_reference_to_user


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
        ASSIGN = "assign"
        """``reason`` names the colleague; an empty one ended the assignment."""
        NOTE = "note"

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
    # A run that is deleted leaves its number here.
    run = models.ForeignKey(
        "delivery.RetryRun", models.DO_NOTHING, null=True, blank=True, related_name="actions",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    """The bulk retry that this retry belongs to."""

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["run"], condition=Q(run__isnull=False), name="dead_letter_action_of_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of message {self.message_id}"


class RetryRun(models.Model):
    """A retry of many dead letters at once. People read its result later."""

    by = loose_reference_to_user()
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    may_double = models.BooleanField(default=False)
    chosen = models.PositiveIntegerField()
    retried = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)
    """The message parts of the retried ones."""
    refused = models.JSONField(default=dict)
    """Number of messages by code of ``delivery.dead_letters.REFUSALS``."""

    class Meta:
        ordering = ["-id"]
        verbose_name = "retry"
        verbose_name_plural = "retries"

    def __str__(self) -> str:
        return f"Retry {self.pk} of {self.chosen} dead letters"


class LetterAssignment(models.Model):
    """The colleague who takes care of a dead letter."""

    # The release before deletes messages and users, and does not know this table.
    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, related_name="assignment", db_constraint=False
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False
    )
    by = loose_reference_to_user()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Message {self.message_id} for {self.to_id}"


class SavedFilter(models.Model):
    """A filter of the dead letter queue that a person has kept under a name."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    """The query string of the list."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_filter_once"),
        ]

    def __str__(self) -> str:
        return self.name
