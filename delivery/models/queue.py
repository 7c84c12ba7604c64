"""The queue in the table: what is due, whose turn it is, and taking it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from delivery.models import bulk_write
from delivery.statuses import Status

if TYPE_CHECKING:
    from delivery.models.message import Message

DUE_STATUSES = (Status.QUEUED.value, Status.RETRYING.value, Status.SCHEDULED.value)
"""In the order of the partial indexes' condition."""


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> MessageQuerySet:
        """What a worker may take now."""
        return self.filter(status__in=DUE_STATUSES, next_attempt_at__lte=now)

    def leases_ended(self, now: datetime) -> MessageQuerySet:
        """Held by a worker that has not been heard of."""
        return self.filter(status=Status.SENDING, lease_until__lt=now)

    def held_by(self, token: UUID) -> MessageQuerySet:
        return self.filter(status=Status.SENDING, lease_token=token)

    def locked(self, *, skip_locked: bool = False) -> MessageQuerySet:
        """Row locks in the order of ids (on SQLite the transaction itself is the lock)."""
        return self.select_for_update(skip_locked=skip_locked, of=("self",)).order_by("pk")

    def write(self, rows: Sequence[Message], fields: Sequence[str]) -> int:
        """Write ``fields`` of ``rows``, which the caller has locked, in one statement."""
        return bulk_write.write(rows, fields, using=self.db)
