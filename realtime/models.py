from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models


def new_epoch() -> str:
    return secrets.token_hex(4)


class Stream(models.Model):
    """A log of events with a counter that leaves no gap. The key is like ``church:<slug>`` or ``user:<id>``."""

    key = models.CharField(max_length=100, unique=True)
    epoch = models.CharField(max_length=16, default=new_epoch)
    """A restore of the database sets a new epoch, because the counter goes back."""
    last_seq = models.BigIntegerField(default=0)
    first_seq = models.BigIntegerField(default=1)
    """The ``seq`` of the oldest event that was not pruned."""

    def __str__(self) -> str:
        return self.key


class Event(models.Model):
    """A committed change with its number in commit order."""

    # The unique constraint begins with it.
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    type = models.CharField(max_length=40)
    body = models.TextField()
    """The JSON that clients get, encoded once."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="event_seq_once_per_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id}#{self.seq} {self.type}"


class WebProcess(models.Model):
    """The sockets of each user in one web process, which the other web processes read."""

    name = models.CharField(max_length=32, unique=True)
    sockets = models.JSONField()
    """``{user id: count}``"""
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at}"


class Ticket(models.Model):
    """A ticket that opens one socket within 30 s. Only its hash is stored."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    session_hash = models.CharField(max_length=128)
    """The user's session hash at the time of issue: a changed password ends the ticket."""
    session_key = models.CharField(max_length=40, blank=True)
    """The session of the request: a logout ends the ticket."""
    bearer = models.CharField(max_length=128, blank=True)
    """The reference of the token of the request: revoking the token ends the ticket."""
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Ticket of {self.user_id} until {self.expires_at}"
