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

FROM_PROVIDER = frozenset(
    {Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNCONFIRMED, Status.FAILED}
)
"""Known from Telnyx; better knowledge than anything of ours."""

ENDED_BY_US = frozenset(
    {Status.DEAD, Status.UNKNOWN, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED}
)
"""No worker takes it any more; only a person, or news from Telnyx, moves it on."""

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
"""What everyone may see follow on what: ``sending`` between two of them is internal.

``docs/message-states.md`` draws it, and a test holds the two together.
"""
