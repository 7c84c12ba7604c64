from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import models
from django.utils import timezone

from delivery import conf
from delivery.models import bulk_write
from delivery.models.message import Message

TEXT_RECEIVED = "message.received"
"""The type of events with an inbound message."""


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    def waiting(self) -> WebhookEventQuerySet:
        """Return the events that are stored but not applied."""
        return self.filter(applied_at__isnull=True)

    def due(self, now: datetime) -> WebhookEventQuerySet:
        """Return the events to process now."""
        return self.waiting().filter(due_at__lte=now)

    def write(self, events: Sequence[WebhookEvent], fields: Sequence[str]) -> int:
        """Write ``fields`` of ``events`` in one statement; the caller has locked them."""
        return bulk_write.write(events, fields, using=self.db)


class WebhookEvent(models.Model):
    """One event from a provider, as it came. Applied once, however often it comes."""

    class Result(models.TextChoices):
        """The result of applying the event."""

        APPLIED = "applied"
        """It changed a message, or created one."""
        SUPERSEDED = "superseded"
        """Its message had newer knowledge."""
        NOT_OURS = "not_ours"
        """A message to a number without a tenant, now and at the time of the last outbound message."""
        WITHOUT_EFFECT = "without_effect"
        """Its type or form says nothing about a message."""

    provider = models.CharField(
        max_length=32, default=conf.default_provider, db_default=conf.first_provider()
    )
    """The alias of the provider account, from the URL that was called."""
    event_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=64)
    provider_id = models.CharField(max_length=64, blank=True)
    """The provider's id of the message."""
    ref = models.CharField(max_length=64, blank=True)
    """The reference in the per-message URL: a hint at the message, no proof."""
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    payload = models.JSONField()
    due_at = models.DateTimeField(default=timezone.now)
    """The time to process it (again): the pauses grow while its message is not found."""
    applied_at = models.DateTimeField(null=True, blank=True)
    """Empty while it waits for its batch or for its message."""
    result = models.CharField(max_length=14, choices=Result, blank=True)
    # Nothing asks by it: without an index and a constraint. A deleted message leaves its number here.
    message = models.ForeignKey(
        Message, models.DO_NOTHING, null=True, blank=True, related_name="webhook_events",
        db_constraint=False, db_index=False,
    )  # fmt: skip

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(fields=["event_id", "provider"], name="webhook_event_once"),
        ]
        indexes = [
            # The search of the admin. An index of the field would be two on PostgreSQL.
            models.Index(fields=["provider_id"], name="webhook_event_provider_id"),
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(applied_at__isnull=True),
                name="webhook_event_due",
            ),
            # Inbound messages are applied before reports: one of them may be a STOP.
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(applied_at__isnull=True, event_type=TEXT_RECEIVED),
                name="webhook_event_text_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
