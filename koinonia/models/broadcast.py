from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from delivery.models import Message
from delivery.statuses import UNFINISHED
from delivery.statuses import Status as MessageStatus
from koinonia.models.church import Church


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    def progress_due(self, until: datetime) -> BroadcastQuerySet:
        """Whose progress was held back, and last told at ``until`` or before."""
        return self.filter(progress_stale=True, progress_at__lte=until)

    def forecast(self) -> int:
        """Return how many texts the scheduled ones will have, as was counted last."""
        waiting = self.filter(due_at__isnull=False)
        texts = models.Sum(models.F("total") - models.F("forecast_suppressed"))
        return int(waiting.aggregate(texts=texts)["texts"] or 0)


class Broadcast(models.Model):
    """One text to many members. ``delivery``'s messages point here by ``batch``."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled"
        """It waits for its time: no worker has taken any of its texts."""
        SENDING = "sending"
        """Some of its texts are still ours to send."""
        DONE = "done"
        """All are handed over, or will not be."""
        CANCELLED = "cancelled"
        """A person called back what had not been sent."""

    _counts: dict[str, int] | None = None
    left_out: Sequence[Any] = ()
    """Who is left out of it, as ``koinonia.broadcasts.send`` finds when it is made; not kept."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="broadcasts")
    text = models.TextField()
    """As written, with its placeholders."""
    audience = models.JSONField()
    """``{"all": true}`` or ``{"groups": [id], "members": [id]}``, ids as the client sent them."""
    total = models.PositiveIntegerField(default=0)
    """How many texts it has; while it is scheduled, a forecast."""
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="broadcasts"
    )
    created_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    """While it is scheduled: when its messages are made. It has none before."""
    expires_at = models.DateTimeField(null=True, blank=True)
    forecast_suppressed = models.PositiveIntegerField(default=0, db_default=0)
    """How many of ``total`` had opted out when it was scheduled."""
    ended_as = models.CharField(max_length=11, blank=True, default="", db_default="")
    """The status of its texts where it ended before it had messages."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    """When the last of its messages left the hands of the worker."""
    progress_at = models.DateTimeField(null=True, blank=True)
    """When its last ``broadcast.progress`` event was written."""
    progress_stale = models.BooleanField(default=False)
    """There is newer progress than that event told."""

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["church", "-id"], name="broadcast_list"),
            # The few whose progress is still to be told.
            models.Index(
                fields=["progress_at"],
                condition=models.Q(progress_stale=True),
                name="broadcast_progress_due",
            ),
            # The few that are scheduled: a worker asks ten times a second.
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="broadcast_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Broadcast {self.pk} of {self.church_id}"

    def counts(self) -> dict[str, int]:
        """Return how many of its texts have which status, only those that some have; of one without
        messages, the forecast."""
        if self.due_at is not None or self.ended_as:
            return self._forecast(self.ended_as or MessageStatus.SCHEDULED.value)
        if self._counts is None:
            messages = Message.objects.filter(tenant=self.church_id, batch=self.pk).order_by()
            rows = messages.values_list("status").annotate(number=models.Count("pk"))
            self._counts = dict(rows)
        return self._counts

    def _forecast(self, status: str) -> dict[str, int]:
        numbers = {
            status: self.total - self.forecast_suppressed,
            MessageStatus.SUPPRESSED.value: self.forecast_suppressed,
        }
        return {name: number for name, number in numbers.items() if number}

    def remember(self, counts: dict[str, int]) -> None:
        """Take counts that were read for several at once."""
        self._counts = counts

    @property
    def status(self) -> str:
        """Follows from its texts, and not from the clock: a tag cannot tell that time has passed."""
        statuses = self.counts().keys()
        if self.cancelled_at:
            return self.Status.CANCELLED
        if self.due_at is not None:
            return self.Status.SCHEDULED
        if statuses.isdisjoint(UNFINISHED):
            return self.Status.DONE
        return self.Status.SCHEDULED if statuses <= _UNTOUCHED else self.Status.SENDING


_UNTOUCHED = {MessageStatus.SCHEDULED, MessageStatus.SUPPRESSED, MessageStatus.CANCELLED}
"""What texts can be before any of them is due."""
