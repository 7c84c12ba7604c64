from __future__ import annotations

from django.conf import settings
from django.db import models


class BreakerState(models.TextChoices):
    CLOSED = "closed"
    """Calls flow."""
    OPEN = "open"
    """No call; messages wait and spend no attempt."""
    HALF_OPEN = "half_open"
    """One probe at a time."""
    FORCED_OPEN = "forced_open"
    """A person stopped all calls."""
    FORCED_CLOSED = "forced_closed"
    """A person lets all calls through, whatever the failures."""


class ForcedBreaker(models.Model):
    """A person's order to the breaker of one provider account. A row, so that no flush forgets it."""

    account = models.CharField(max_length=12, unique=True)
    state = models.CharField(
        max_length=13,
        choices=[
            (state.value, state.label)
            for state in (BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED)
        ],
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.state} ({self.account})"


class BreakerTransition(models.Model):
    """One change of the breaker's state, and why."""

    account = models.CharField(max_length=12)
    before = models.CharField(max_length=13, choices=BreakerState)
    after = models.CharField(max_length=13, choices=BreakerState)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """Open: when it lets the first probe through."""
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "-id"], name="breaker_transition_list")]

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}: {self.reason}"
