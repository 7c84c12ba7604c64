"""Outgoing webhooks: endpoints, their positions in the log, and deliveries."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from koinonia import ids
from koinonia.models.church import Church
from koinonia.webhooks.addresses import LONGEST

_SECRET = 100
_CODE = 40
MOST_EXCERPT = 200


class WebhookEndpoint(models.Model):
    """An address that gets the events of a church."""

    class Off(models.TextChoices):
        """The reason for which an endpoint is off."""

        NOT = "", "on"
        OWNER = "owner", "switched off by an owner"
        GONE = "gone", "the receiver answered 410"
        FAILING = "failing", "no delivery succeeded for 24 hours"

    church = models.ForeignKey(Church, models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=LONGEST)
    types = models.JSONField()
    """The chosen event types."""
    secret = models.CharField(max_length=_SECRET)
    """``whsec_…``. Each signature needs it in the clear."""
    old_secret = models.CharField(max_length=_SECRET, blank=True, default="")
    """The secret before the last rotation; it signs until ``old_secret_until``."""
    old_secret_until = models.DateTimeField(null=True, blank=True)
    off = models.CharField(max_length=10, choices=Off, blank=True, default=Off.NOT)
    off_since = models.DateTimeField(null=True, blank=True)
    owes_notice = models.BooleanField(default=False)
    """The owners have not been told by e-mail yet that the endpoint is off."""
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="webhook_owes_notice", condition=models.Q(owes_notice=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def enabled(self) -> bool:
        return self.off == self.Off.NOT

    @property
    def mark(self) -> str:
        """Return the id of the API."""
        return ids.encode(self.pk)

    def secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign at this time, the present one first."""
        is_old_valid = self.old_secret_until is not None and self.old_secret_until > now
        return [self.secret, self.old_secret] if is_old_valid else [self.secret]


class WebhookCursor(models.Model):
    """The position of one endpoint in the log, and the lease of the worker that sends its events.

    A row of its own, because each turn of a worker writes it, and the version of the endpoint must not
    change with it.
    """

    endpoint = models.OneToOneField(
        WebhookEndpoint, models.CASCADE, primary_key=True, related_name="cursor"
    )
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    """The last event that was sent or has a delivery with a later attempt."""
    failures = models.PositiveIntegerField(default=0)
    """Failed attempts in a row, over all deliveries."""
    failing_since = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    """The end of the pause; None: the endpoint has no pause."""
    lease_token = models.CharField(max_length=32, blank=True, default="")
    """The fencing token of the worker that sends now."""
    lease_until = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Webhook {self.endpoint_id} at {self.seq}"


class WebhookDelivery(models.Model):
    """An event for an endpoint, after its first attempt. The body is read from the log for each attempt."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits for the next attempt"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed for 24 hours"
        LOST = "lost", "the log does not hold the event any more"

    # The unique constraint begins with it.
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False
    )
    event_id = models.CharField(max_length=100)
    """The header ``webhook-id``: the same in each attempt."""
    type = models.CharField(max_length=40)
    seq = models.BigIntegerField(null=True, blank=True)
    """The number of the event in the church's stream; None for an event that the log does not hold."""
    data = models.JSONField(null=True, blank=True)
    """The data of an event that the log does not hold."""
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    """The HTTP status of the last answer; None without an answer."""
    error = models.CharField(max_length=_CODE, blank=True, default="")
    """The reason of the last failure: a code of ``posting.NoAnswerError``, or ``status``."""
    excerpt = models.CharField(max_length=MOST_EXCERPT, blank=True, default="")
    """The beginning of an answer that was not 2xx."""
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField()
    trying_since = models.DateTimeField()
    """The begin of the 24 hours: the first attempt, or the order of a person to try again."""
    tried_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    """The next attempt; None unless it waits."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhook_event_once_per_endpoint"
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting", next_at__isnull=False)
                | (~models.Q(state="waiting") & models.Q(next_at=None)),
                name="webhook_waits_for_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "created_at", "id"], name="webhook_delivery_by_time"),
            models.Index(
                fields=["endpoint", "next_at"],
                name="webhook_delivery_waiting",
                condition=models.Q(state="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"

    @property
    def mark(self) -> str:
        """Return the id of the API."""
        return ids.encode(self.pk)
