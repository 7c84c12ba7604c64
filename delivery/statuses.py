"""The vocabulary of a message's life, one line of meaning each (contract section 5)."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    SCHEDULED = "scheduled"
    """Accepted, due later."""
    QUEUED = "queued"
    """Accepted and due; waits for a worker."""
    SENDING = "sending"
    """A worker holds it by a lease. Internal: makes no event."""
    RETRYING = "retrying"
    """An attempt failed for a reason that passes; due again at ``next_attempt_at``."""
    ACCEPTED = "accepted"
    """Telnyx took it."""
    SENT = "sent"
    """Telnyx handed it to the carrier."""
    DELIVERED = "delivered"
    """The carrier confirmed it."""
    UNCONFIRMED = "unconfirmed"
    """The carrier never confirmed. Not a failure."""
    FAILED = "failed"
    """The carrier says that it failed, after we handed it over."""
    DEAD = "dead"
    """We could not hand it over; it waits in the dead letter queue."""
    UNKNOWN = "unknown"
    """The request may or may not have reached Telnyx."""
    SUPPRESSED = "suppressed"
    """The recipient has opted out."""
    CANCELLED = "cancelled"
    """A person called it back before it was sent."""
    EXPIRED = "expired"
    """Its ``expires_at`` passed before it could be sent."""
    RECEIVED = "received"
    """Inbound: a text to the church."""


WAITING = frozenset({Status.SCHEDULED, Status.QUEUED, Status.RETRYING})
"""A worker will take it when it is due."""

UNFINISHED = WAITING | {Status.SENDING}
"""Still ours to send."""

ON_ITS_WAY = frozenset({Status.ACCEPTED, Status.SENT})
"""Telnyx has it; its webhooks move it on."""

DEAD_LETTERS = frozenset({Status.DEAD, Status.UNKNOWN})
"""A person decides (``unknown`` may also move by itself)."""
