"""Forgetting what nobody will ask for any more."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from realtime import conf
from realtime.models import Event, Stream, Ticket


def prune(now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete events beyond age and number, oldest first, and expired tickets; how many of each.

    A client that asks for a deleted event is told to ``reset``.
    """
    counted = {"events": 0, "tickets": 0}
    for stream in Stream.objects.iterator():
        counted["events"] += _prune_stream(stream, now, dry_run)
    expired = Ticket.objects.filter(expires_at__lte=now)
    counted["tickets"] = expired.count() if dry_run else expired.delete()[0]
    return counted


def _prune_stream(stream: Stream, now: datetime, dry_run: bool) -> int:
    too_old = stream.events.filter(at__lt=now - conf.retention()).aggregate(last=Max("seq"))["last"]
    last = max(too_old or 0, stream.last_seq - conf.events_kept())
    doomed = Event.objects.filter(stream=stream, seq__lte=last)
    if dry_run:
        return doomed.count()
    with transaction.atomic():
        # first_seq goes up before the rows go: a reader in between is told to reset, never lied to.
        Stream.objects.filter(pk=stream.pk, first_seq__lte=last).update(first_seq=last + 1)
        return doomed.delete()[0]
