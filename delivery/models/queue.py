"""Queries of the queue: due messages, expired leases, row locks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connections, models
from django.db.models import Q

from delivery.models import (
    among,  # noqa: F401 -- registers the lookup
    bulk_write,
)
from delivery.models.repeated_condition import RepeatedCondition
from delivery.statuses import Status

if TYPE_CHECKING:
    from delivery.models.message import Message

DUE_STATUSES = (Status.QUEUED.value, Status.RETRYING.value, Status.SCHEDULED.value)
"""Sorted as in the condition of the partial indexes."""
WAITS = Q(status__in=DUE_STATUSES)
WATCHED = Q(status__in=("accepted", "dead", "sending", "sent", "unknown")) | Q(asks_to_stop=True)
"""Somebody still looks at the message: the rescue, the watchdog, or the support desk."""
FOR_PEOPLE = Q(status__in=("dead", "unknown"), discarded_at__isnull=True) | Q(asks_to_stop=True)
"""A person of the tenant decides about the message."""


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> MessageQuerySet:
        """Return the messages that a worker may claim now."""
        return self.waiting().filter(next_attempt_at__lte=now)

    def waiting(self) -> MessageQuerySet:
        """Return the messages that wait for a worker, due or not."""
        return self._repeated(WAITS).filter(status__in=DUE_STATUSES)

    def leases_ended(self, now: datetime) -> MessageQuerySet:
        """Return the messages with an expired lease: their worker was lost."""
        return self.watched(Status.SENDING).filter(lease_until__lt=now)

    def watched(self, *statuses: str) -> MessageQuerySet:
        """Return the messages with one of these statuses, by the index of ``WATCHED``."""
        return self._repeated(WATCHED).filter(status__in=statuses)

    def dead_letters(self) -> MessageQuerySet:
        """Return the dead letters that wait for a person, by the index of ``FOR_PEOPLE``."""
        found = self._repeated(FOR_PEOPLE)
        return found.filter(status__in=("dead", "unknown"), discarded_at__isnull=True)

    def by_index_for_people(self) -> MessageQuerySet:
        """Return the same messages, which the caller chose by the index of ``FOR_PEOPLE``."""
        return self._repeated(FOR_PEOPLE)

    def asking_to_stop(self) -> MessageQuerySet:
        """Return the received messages that look like a request to stop, by the same index."""
        return self._repeated(FOR_PEOPLE).filter(asks_to_stop=True, dead_since__isnull=True)

    def _repeated(self, condition: Q) -> MessageQuerySet:
        """Repeat the condition of a partial index for SQLite, which does not use the index otherwise.

        PostgreSQL proves it, and would estimate fewer rows for two conditions than for one.
        """
        if connections[self.db].vendor != "sqlite":
            return self.all()
        return self.filter(RepeatedCondition(condition))

    def held_by(self, token: UUID) -> MessageQuerySet:
        return self.filter(status=Status.SENDING, lease_token=token)

    def locked(self, *, skip_locked: bool = False) -> MessageQuerySet:
        """Lock the rows in the order of ids (on SQLite the transaction locks the database)."""
        return self.select_for_update(skip_locked=skip_locked, of=("self",)).order_by("pk")

    def write(self, rows: Sequence[Message], fields: Sequence[str]) -> int:
        """Write ``fields`` of ``rows`` in one statement; the caller has locked them."""
        return bulk_write.write(rows, fields, using=self.db)
