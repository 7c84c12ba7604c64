from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from delivery import batches
from delivery.statuses import UNFINISHED
from delivery.statuses import Status as MessageStatus
from koinonia.models.church import Church


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    def progress_due(self, until: datetime) -> BroadcastQuerySet:
        """Return broadcasts with an unpublished change and no progress event after ``until``."""
        return self.filter(progress_stale=True, progress_at__lte=until)

    def forecast(self) -> int:
        """Return the last forecast of how many messages the scheduled broadcasts will have."""
        waiting = self.filter(due_at__isnull=False)
        texts = models.Sum(models.F("total") - models.F("forecast_suppressed"))
        return int(waiting.aggregate(texts=texts)["texts"] or 0)


class Broadcast(models.Model):
    """A text to many members. ``Message.batch`` refers to it."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled"
        """Its messages wait for their first worker."""
        SENDING = "sending"
        """A worker still has to send some of its messages."""
        DONE = "done"
        """The provider accepted the messages, or they failed."""
        CANCELLED = "cancelled"
        """A user cancelled the messages that were not sent yet."""

    _counts: dict[str, int] | None = None
    left_out: Any = None
    """A ``LeftOutList``: members without a message, set by ``koinonia.broadcasts.send`` on creation; not a column."""

    # An index below begins with it.
    church = models.ForeignKey(Church, models.CASCADE, related_name="broadcasts", db_index=False)
    text = models.TextField()
    """The template, with placeholders."""
    series = models.ForeignKey(
        "koinonia.Series", models.SET_NULL, null=True, blank=True, related_name="broadcasts",
        db_index=False,
    )  # fmt: skip
    """The series that it is an occurrence of; None: it is sent once."""
    occurrence = models.DateField(null=True, blank=True)
    """The day of the series that it stands for, even if it was moved to another one."""
    audience = models.JSONField()
    """``{"all": true}`` or ``{"groups": [id], "members": [id]}``, either with ``exclude_groups``, with
    ids as the client sent them."""
    media_urls = models.JSONField(null=True, blank=True)
    """The media of each message. None, as in a row of an earlier release, is no media."""
    total = models.PositiveIntegerField(default=0)
    """The number of messages; while the broadcast is scheduled, a forecast without numbers that may not be texted."""
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="broadcasts"
    )
    created_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    """Set while the broadcast is scheduled: the time at which its messages are created."""
    expires_at = models.DateTimeField(null=True, blank=True)
    forecast_suppressed = models.PositiveIntegerField(default=0, db_default=0)
    """The number of opt-outs within ``total`` at the last forecast."""
    ended_as = models.CharField(max_length=11, blank=True, default="", db_default="")
    """The status of all its texts, if the broadcast ended before its messages were created."""
    edits = models.PositiveSmallIntegerField(default=0, db_default=0)
    """The number of changes by people while it was scheduled: its version, for ``If-Match``."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    """The time of the last message's change to a final status."""
    progress_at = models.DateTimeField(null=True, blank=True)
    """The time of its last ``broadcast.progress`` event."""
    progress_stale = models.BooleanField(default=False)
    """True if the counts changed after that event."""

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        constraints = [
            # Its index also finds the occurrences of a series.
            models.UniqueConstraint(
                fields=["series", "occurrence"], name="broadcast_once_per_occurrence"
            ),
        ]
        indexes = [
            models.Index(fields=["church", "-id"], name="broadcast_list"),
            # Small: broadcasts with an unpublished change.
            models.Index(
                fields=["progress_at"],
                condition=models.Q(progress_stale=True),
                name="broadcast_progress_due",
            ),
            # Small: scheduled broadcasts. The worker queries them ten times a second.
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="broadcast_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Broadcast {self.pk} of {self.church_id}"

    @property
    def media(self) -> tuple[str, ...]:
        return tuple(self.media_urls or ())

    def counts(self) -> dict[str, int]:
        """Return the number of messages per status, without zeros.

        Return the forecast for a broadcast without messages.
        """
        if self.due_at is not None or self.ended_as:
            return self._forecast(self.ended_as or MessageStatus.SCHEDULED.value)
        if self._counts is None:
            self._counts = batches.counts_of([self.pk])[self.pk]
        return self._counts

    def _forecast(self, status: str) -> dict[str, int]:
        numbers = {
            status: self.total - self.forecast_suppressed,
            MessageStatus.SUPPRESSED.value: self.forecast_suppressed,
        }
        return {name: number for name, number in numbers.items() if number}

    def remember(self, counts: dict[str, int]) -> None:
        """Store counts that one query read for several broadcasts."""
        self._counts = counts

    @property
    def status(self) -> str:
        """Derive the status from the messages and not from the clock, which no ETag depends on."""
        statuses = self.counts().keys()
        if self.cancelled_at:
            return self.Status.CANCELLED
        if self.due_at is not None:
            return self.Status.SCHEDULED
        if statuses.isdisjoint(UNFINISHED):
            return self.Status.DONE
        return self.Status.SCHEDULED if statuses <= _UNTOUCHED else self.Status.SENDING


_UNTOUCHED = {MessageStatus.SCHEDULED, MessageStatus.SUPPRESSED, MessageStatus.CANCELLED}
"""Statuses that messages can have before the first of them is due."""
