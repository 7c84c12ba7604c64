from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from koinonia.models.church import Church

if TYPE_CHECKING:
    from koinonia.models.broadcast import Broadcast


class SeriesQuerySet(models.QuerySet["Series"]):
    def active(self) -> SeriesQuerySet:
        """Return the series that will send again."""
        return self.filter(paused_at=None, ended_at=None)


class Series(models.Model):
    """A broadcast that repeats, weekly or monthly, at a time of the church's zone.

    Each occurrence is a scheduled :class:`Broadcast` of its own. The worker that takes one
    plans the next one (``koinonia.series.occurrences``).
    """

    class Every(models.TextChoices):
        WEEK = "week"
        MONTH = "month"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        ENDED = "ended"

    church = models.ForeignKey(Church, models.CASCADE, related_name="series", db_index=False)
    text = models.TextField()
    """The template, with placeholders."""
    media_urls = models.JSONField(default=list, blank=True)
    audience = models.JSONField()
    """As :attr:`Broadcast.audience`."""
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="series"
    )
    every = models.CharField(max_length=5, choices=Every)
    interval = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    """2 with ``week``: every second week."""
    on_weekday = models.BooleanField(default=False)
    """With ``month``: on the second Sunday, and not on the 8th."""
    starts_on = models.DateField()
    """The first day; the weekday or the day of the month follow from it."""
    at = models.TimeField()
    """The time on the clocks of the church."""
    until = models.DateField(null=True, blank=True)
    """The last day; None: without an end."""
    count = models.PositiveSmallIntegerField(null=True, blank=True)
    """The number of occurrences, with the skipped ones; None: without an end."""
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "series"
        indexes = [models.Index(fields=["church", "-id"], name="series_list")]

    def __str__(self) -> str:
        return f"Series {self.pk} of {self.church_id}"

    @property
    def status(self) -> str:
        if self.ended_at:
            return self.Status.ENDED
        return self.Status.PAUSED if self.paused_at else self.Status.ACTIVE

    def next_broadcast(self) -> Broadcast | None:
        """Return the occurrence that is scheduled now."""
        return self.broadcasts.filter(due_at__isnull=False).order_by("due_at", "pk").first()
