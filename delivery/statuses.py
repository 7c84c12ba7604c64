"""The statuses of a message, with one line of meaning each (docs/api.md)."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    SCHEDULED = "scheduled"
    """Accepted, due later."""
    QUEUED = "queued"
    """Accepted and due; waits for a worker."""
    SENDING = "sending"
    """A worker holds a lease on it. Internal: makes no event."""
    RETRYING = "retrying"
    """An attempt failed for a temporary reason; due again at ``next_attempt_at``."""
    ACCEPTED = "accepted"
    """The provider accepted it."""
    SENT = "sent"
    """The provider handed it to the carrier."""
    DELIVERED = "delivered"
    """The carrier confirmed it."""
    UNCONFIRMED = "unconfirmed"
    """The carrier never confirmed. Not a failure."""
    FAILED = "failed"
    """The carrier reports that it failed, after the provider accepted it."""
    DEAD = "dead"
    """The provider did not accept it; it waits in the dead letter queue."""
    UNKNOWN = "unknown"
    """The request may or may not have reached the provider."""
    SUPPRESSED = "suppressed"
    """The recipient has opted out."""
    CANCELLED = "cancelled"
    """A person cancelled it before it was sent."""
    EXPIRED = "expired"
    """Its ``expires_at`` passed before it could be sent."""
    RECEIVED = "received"
    """Inbound: a message to the tenant."""


WAITING = frozenset({Status.SCHEDULED, Status.QUEUED, Status.RETRYING})
"""A worker claims it when it is due."""

UNFINISHED = WAITING | {Status.SENDING}
"""The engine still has to send it."""

ON_ITS_WAY = frozenset({Status.ACCEPTED, Status.SENT})
"""The provider has it; webhooks change its status."""

DEAD_LETTERS = frozenset({Status.DEAD, Status.UNKNOWN})
"""A person decides (a late report may also settle ``unknown``)."""

FROM_PROVIDER = frozenset(
    {Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNCONFIRMED, Status.FAILED}
)
"""Statuses that the provider reports. They replace every status that the engine has set."""

ENDED_BY_US = frozenset(
    {Status.DEAD, Status.UNKNOWN, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED}
)
"""Final for the workers; a person or a report of the provider can still change it."""

MAY_BECOME: dict[Status, frozenset[Status]] = {
    **dict.fromkeys(
        WAITING, frozenset({Status.QUEUED, Status.RETRYING}) | ENDED_BY_US | FROM_PROVIDER
    ),
    **dict.fromkeys(ENDED_BY_US, FROM_PROVIDER),
    Status.DEAD: FROM_PROVIDER | {Status.QUEUED},
    Status.UNKNOWN: FROM_PROVIDER | {Status.QUEUED},
    Status.ACCEPTED: FROM_PROVIDER - {Status.ACCEPTED},
    Status.SENT: FROM_PROVIDER - ON_ITS_WAY,
    Status.UNCONFIRMED: frozenset({Status.DELIVERED, Status.FAILED}),
    Status.FAILED: frozenset({Status.DELIVERED, Status.UNCONFIRMED}),
    Status.DELIVERED: frozenset(),
    Status.RECEIVED: frozenset({Status.RECEIVED}),
}
"""The visible transitions; ``sending`` between two of them is internal.

``docs/message-states.md`` draws this table, and a test compares the two.
"""
