from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models


def new_epoch() -> str:
    return secrets.token_hex(4)


class Stream(models.Model):
    """A log of events with a gap-free counter. ``church:<slug>`` or ``user:<id>``."""

    key = models.CharField(max_length=100, unique=True)
    epoch = models.CharField(max_length=16, default=new_epoch)
    """Changes when the counter cannot be trusted any more (a restored database)."""
    last_seq = models.BigIntegerField(default=0)
    first_seq = models.BigIntegerField(default=1)
    """The oldest ``seq`` that is still kept."""

    def __str__(self) -> str:
        return self.key


class Event(models.Model):
    """One committed change, numbered in commit order."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=40)
    body = models.TextField()
    """The event as clients get it, JSON: encoded once, never again."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="event_seq_once_per_stream"),
        ]
        indexes = [models.Index(fields=["at"], name="event_age")]

    def __str__(self) -> str:
        return f"{self.stream_id}#{self.seq} {self.type}"


class WebProcess(models.Model):
    """What a web process tells the others: how many sockets each user has in it."""

    name = models.CharField(max_length=32, unique=True)
    sockets = models.JSONField()
    """``{user id: count}``"""
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at}"


class Ticket(models.Model):
    """A single-use right to open one socket, valid for 30 s. Only its hash is stored."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    session_hash = models.CharField(max_length=128)
    """The user's session hash when it was made: a changed password ends it."""
    session_key = models.CharField(max_length=40, blank=True)
    """The session it was asked for with: logging out ends it."""
    bearer = models.CharField(max_length=128, blank=True)
    """The reference of the token it was asked for with: revoking that ends it."""
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Ticket of {self.user_id} until {self.expires_at}"
