"""Limits on sending as rows: hold, breaker and slowdown of an account, stop and daily cap of a tenant.

Rows, because a person's decision must outlive a flush of Redis.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from delivery import conf
from delivery.models.message import loose_reference_to_user


class AccountHold(models.Model):
    """Stops all sending through a provider account until a person ends the hold."""

    account = models.CharField(max_length=12)
    code = models.CharField(max_length=40)
    """The provider's code, or ``http_401``."""
    title = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """The time of its expiry (a daily limit); None: a person must end it."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(ended_at__isnull=True), name="account_hold_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} since {self.since:%Y-%m-%d %H:%M}"


class BreakerState(models.TextChoices):
    CLOSED = "closed"
    """Calls are allowed."""
    OPEN = "open"
    """Calls are blocked; messages wait and use up no attempt."""
    HALF_OPEN = "half_open"
    """Calls are blocked except for one probe at a time."""
    FORCED_OPEN = "forced_open"
    """A person blocks all calls."""
    FORCED_CLOSED = "forced_closed"
    """A person allows all calls, regardless of failures."""


class ForcedBreaker(models.Model):
    """A person's order to the breaker of one provider account."""

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
    until = models.DateTimeField(null=True, blank=True)
    """The end of the order; None: a person must end it."""

    def __str__(self) -> str:
        return f"{self.state} ({self.account})"


class BreakerTransition(models.Model):
    """A change of the breaker's state, with its reason."""

    account = models.CharField(max_length=12)
    before = models.CharField(max_length=13, choices=BreakerState)
    after = models.CharField(max_length=13, choices=BreakerState)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """If open: when it allows the first probe. If a person ordered it: when the order ends."""
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "change of an account"
        verbose_name_plural = "changes of accounts"
        indexes = [models.Index(fields=["account", "-id"], name="breaker_transition_list")]

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}: {self.reason}"


class TenantStop(models.Model):
    """A person's order to send nothing of one tenant. Its row stays as history after it has ended."""

    # The release before deletes tenants and does not know this table: use no database constraint.
    tenant = models.ForeignKey(
        conf.tenant_model(), models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    reason = models.CharField(max_length=200)
    by = loose_reference_to_user()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """The end of the order; None: a person must end it."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    """A user name, or ``time``."""
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "stop"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(ended_at__isnull=True), name="tenant_stop_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="tenant_stop_list")]

    def __str__(self) -> str:
        return f"Stop of {self.tenant_id} since {self.since:%Y-%m-%d %H:%M}"


class Slowdown(models.Model):
    """A person's order to send slower than the pace, through an account or from one number, until a time.

    Its row stays as history after it has ended.
    """

    account = models.CharField(max_length=12)
    sender = models.CharField(max_length=16, blank=True)
    """The sending number; empty: all numbers of the account."""
    rate = models.FloatField()
    """Parts a second."""
    reason = models.CharField(max_length=200)
    by = loose_reference_to_user()
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    """A user name, or ``time``."""
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sender"],
                condition=Q(ended_at__isnull=True),
                name="slowdown_once",
            ),
            # Zero parts a second would be a stop. Every page shows a stop as such.
            models.CheckConstraint(condition=Q(rate__gt=0), name="slowdown_goes_on"),
        ]

    def __str__(self) -> str:
        return f"{self.rate:g} parts a second since {self.since:%Y-%m-%d %H:%M}"


class SpentHour(models.Model):
    """Message parts of one tenant that workers took for sending in one hour.

    A sum over 25 of these rows is an upper bound for any 24 hours.
    """

    tenant = models.ForeignKey(conf.tenant_model(), models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    """The start of the hour, UTC."""
    parts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour"], name="spent_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.parts} parts from {self.hour:%Y-%m-%d %H:%M}"


class SpendLimit(models.Model):
    """A tenant's daily cap, and the state of waiting for it. A lock on this row guards the count."""

    tenant = models.OneToOneField(
        conf.tenant_model(), models.CASCADE, primary_key=True, related_name="+"
    )
    cap = models.PositiveIntegerField(
        null=True,
        blank=True,
        verbose_name="parts in 24 hours",
        help_text="The most parts that go out in any 24 hours; the other texts wait. A part "
        "is 160 plain letters, or 70 with others such as emoji. A higher number lets waiting texts go at "
        "once. 0: nothing is sent. Empty: the default of the installation (DAILY_PARTS).",
    )
    own_cap = models.PositiveIntegerField(null=True, blank=True, editable=False)
    """A lower cap that the tenant chose; None: none. It never raises the cap."""
    reached_at = models.DateTimeField(null=True, blank=True, editable=False)
    """The time since which messages wait; None: no message waits."""
    waits_until = models.DateTimeField(null=True, blank=True, editable=False)
    """The time at which the next waiting message can go."""

    class Meta:
        verbose_name = "daily cap"

    def __str__(self) -> str:
        return "the default" if self.cap is None else f"{self.cap} parts in 24 hours"
