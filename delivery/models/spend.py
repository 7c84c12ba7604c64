from __future__ import annotations

from django.db import models

from delivery import conf


class SpentHour(models.Model):
    """Message parts of one tenant that were handed to workers in one hour.

    A sum over 25 of these rows bounds any 24 hours, whatever the history.
    """

    tenant = models.ForeignKey(conf.tenant_model(), models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    """The full hour in which it began, UTC."""
    parts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour"], name="spent_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.parts} parts from {self.hour:%Y-%m-%d %H:%M}"


class SpendLimit(models.Model):
    """A tenant's daily cap, and whether its texts wait for it. Its row is the lock of the count."""

    tenant = models.OneToOneField(
        conf.tenant_model(), models.CASCADE, primary_key=True, related_name="+"
    )
    cap = models.PositiveIntegerField(
        null=True,
        blank=True,
        verbose_name="parts in 24 hours",
        help_text="Empty: the default of the installation (DAILY_PARTS).",
    )
    reached_at = models.DateTimeField(null=True, blank=True, editable=False)
    """Since when texts wait; None: none waits."""
    waits_until = models.DateTimeField(null=True, blank=True, editable=False)
    """When the next of them can go."""

    def __str__(self) -> str:
        return "the default" if self.cap is None else f"{self.cap} parts in 24 hours"
