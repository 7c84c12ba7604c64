"""Troubles, and the notices that tell operators about them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """A trouble from its first sight to its end. It holds no number and no words of a person."""

    key = models.CharField(max_length=120)
    """The rule and its subject, such as ``breaker:telnyx``."""
    rule = models.CharField(max_length=20)
    sentence = models.CharField(max_length=500)
    what_to_do = models.CharField(max_length=500)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    """The last time that it was true."""
    said_at = models.DateTimeField(null=True, blank=True)
    """The last notice of it; None: it is too young for one."""
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(over_at__isnull=True), name="alert_once_per_trouble"
            ),
        ]
        indexes = [models.Index(fields=["over_at"], name="alert_by_end")]

    def __str__(self) -> str:
        return self.key


class AlertNotice(models.Model):
    """A notice on its way to one channel: written with the alert, sent afterwards, tried again."""

    class Channel(models.TextChoices):
        MAIL = "mail", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    channel = models.CharField(max_length=7, choices=Channel)
    body = models.JSONField()
    """``{"alerts": [{"state", "rule", "key", "sentence", "what_to_do", "since"}], "is_last": bool}``"""
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    """The next try. A process sets this before it tries, so that no second process tries too."""
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=60, blank=True)
    """The kind of the last failure."""

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="alert_notice_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} notice {self.pk}"


class AlertClock(models.Model):
    """The one row that lets one process of many judge, and counts the notices of an hour."""

    name = models.CharField(max_length=10, unique=True)
    next_at = models.DateTimeField()
    hour = models.DateTimeField()
    """The begin of the hour that is counted."""
    said = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}, next at {self.next_at}"
