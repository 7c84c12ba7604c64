"""Deletes old events and expired tickets."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from realtime import conf
from realtime.models import Event, Stream, Ticket

_SLICE = 1000


def prune(now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete old events, surplus events and expired tickets; return the number of each.

    A client that asks for a deleted event gets a ``reset``.
    """
    counts = {"events": 0, "tickets": 0}
    for stream in _to_prune(now):
        counts["events"] += _prune_stream(stream, now, dry_run)
    expired = Ticket.objects.filter(expires_at__lte=now)
    counts["tickets"] = expired.count() if dry_run else expired.delete()[0]
    return counts


def forget(key: str, text: str) -> int:
    """Delete the events of a stream up to the last one with ``text`` in its body; return their number.

    A client that has not seen them gets a ``reset``. An event in the middle cannot go alone: the
    numbers of a stream have no gap.
    """
    stream = Stream.objects.filter(key=key).first()
    if stream is None:
        return 0
    with_text = Event.objects.filter(stream=stream, body__contains=text)
    last = with_text.aggregate(last=Max("seq"))["last"] or 0
    deleted, first = 0, stream.first_seq
    while first <= last:
        end = min(first + _SLICE - 1, last)
        deleted += _delete(stream, Event.objects.filter(stream=stream, seq__lte=end), end)
        first = end + 1
    return deleted


def _to_prune(now: datetime) -> list[Stream]:
    """Return the streams with too many events, and those with an oldest event that is too old.

    The statement looks one event up for each stream, whatever the length of the log.
    """
    kept = Event.objects.filter(stream=OuterRef("pk"), seq__gte=OuterRef("first_seq"))
    # PostgreSQL would turn an EXISTS inside an OR into a hash of the whole log.
    oldest = Subquery(kept.order_by("seq").values("at")[:1])
    too_many = Q(last_seq__gte=F("first_seq") + conf.events_kept())
    streams = Stream.objects.alias(oldest=oldest)
    return list(streams.filter(too_many | Q(oldest__lt=now - conf.retention())).order_by("pk"))


def _prune_stream(stream: Stream, now: datetime, dry_run: bool) -> int:
    """Delete the surplus in slices, a transaction for each. The cost grows with the deleted events only."""
    first, deleted = stream.first_seq, 0
    while (last := _last_to_delete(stream, first, now)) >= first:
        slice_ = Event.objects.filter(stream=stream, seq__lte=last)
        if dry_run:
            deleted += slice_.filter(seq__gte=first).count()
        else:
            deleted += _delete(stream, slice_, last)
        first = last + 1
    return deleted


def _last_to_delete(stream: Stream, first: int, now: datetime) -> int:
    """Return the last event of the slice from ``first`` on that is too old, or one too many."""
    end = first + _SLICE - 1
    slice_ = Event.objects.filter(stream=stream, seq__gte=first, seq__lte=end)
    too_old = slice_.filter(at__lt=now - conf.retention()).aggregate(last=Max("seq"))["last"]
    return max(too_old or 0, min(end, stream.last_seq - conf.events_kept()))


def _delete(stream: Stream, slice_: QuerySet[Event], last: int) -> int:
    with transaction.atomic():
        # Raise first_seq before deleting: a reader in between gets a reset instead of a gap.
        Stream.objects.filter(pk=stream.pk, first_seq__lte=last).update(first_seq=last + 1)
        return slice_.delete()[0]
