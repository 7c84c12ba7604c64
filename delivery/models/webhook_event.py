from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import models
from django.utils import timezone

from delivery import conf
from delivery.models import bulk_write
from delivery.models.message import Message

TEXT_RECEIVED = "message.received"
"""The type of the events that bring a text of a person."""


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def waiting(self) -> WebhookEventQuerySet:
        """Stored, and not yet applied."""
        return self.filter(applied_at__isnull=True)

    def due(self, now: datetime) -> WebhookEventQuerySet:
        """To be looked at now."""
        return self.waiting().filter(due_at__lte=now)

    def write(self, events: Sequence[WebhookEvent], fields: Sequence[str]) -> int:
        """Write ``fields`` of ``events``, which the caller has locked, in one statement."""
        return bulk_write.write(events, fields, using=self.db)


class WebhookEvent(models.Model):
    """One event from a provider, as it came. Applied once, however often it comes."""

    class Result(models.TextChoices):
        """What applying it came to."""

        APPLIED = "applied"
        """It moved its message on, or made one."""
        SUPERSEDED = "superseded"
        """Its message already knew better."""
        NOT_OURS = "not_ours"
        """A text to a number that no tenant has, or texted its sender from."""
        WITHOUT_EFFECT = "without_effect"
        """Of a type or form that says nothing about a message."""

    provider = models.CharField(
        max_length=32, default=conf.default_provider, db_default=conf.first_provider()
    )
    """The alias of the provider account, from the URL that was called."""
    event_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=64)
    provider_id = models.CharField(max_length=64, blank=True, db_index=True)
    """The provider's id of the message."""
    ref = models.CharField(max_length=64, blank=True)
    """From the per-message URL: a hint at our message, never proof."""
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    payload = models.JSONField()
    due_at = models.DateTimeField(default=timezone.now)
    """When to look at it (again): later and later while its message is not to be found."""
    applied_at = models.DateTimeField(null=True, blank=True)
    """None while it waits: for its batch, or for its message to appear."""
    result = models.CharField(max_length=14, choices=Result, blank=True)
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="webhook_events"
    )

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_id", "provider"], name="webhook_event_once"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(applied_at__isnull=True),
                name="webhook_event_due",
            ),
            # The texts of people, which go before the reports: one of them may be a STOP.
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(applied_at__isnull=True, event_type=TEXT_RECEIVED),
                name="webhook_event_text_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
