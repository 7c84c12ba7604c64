"""Deletes old events and expired tickets."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from realtime import conf
from realtime.models import Event, Stream, Ticket


def prune(now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete old events, surplus events and expired tickets; return the number of each.

    A client that asks for a deleted event gets a ``reset``.
    """
    counts = {"events": 0, "tickets": 0}
    for stream in Stream.objects.iterator():
        counts["events"] += _prune_stream(stream, now, dry_run)
    expired = Ticket.objects.filter(expires_at__lte=now)
    counts["tickets"] = expired.count() if dry_run else expired.delete()[0]
    return counts


def _prune_stream(stream: Stream, now: datetime, dry_run: bool) -> int:
    too_old = stream.events.filter(at__lt=now - conf.retention()).aggregate(last=Max("seq"))["last"]
    last = max(too_old or 0, stream.last_seq - conf.events_kept())
    surplus = Event.objects.filter(stream=stream, seq__lte=last)
    if dry_run:
        return surplus.count()
    with transaction.atomic():
        # Raise first_seq before deleting: a reader in between gets a reset instead of a gap.
        Stream.objects.filter(pk=stream.pk, first_seq__lte=last).update(first_seq=last + 1)
        return surplus.delete()[0]
