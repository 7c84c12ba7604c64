"""Progress of broadcasts: counts per status, and the ``broadcast.progress`` events.

A broadcast publishes at most one event a second, and one when it finishes.
"""

# ruff: noqa: S608 -- our own names, and keys that are integers
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections, transaction
from django.db.models import Q

from delivery import batches
from koinonia import events
from koinonia.models import Broadcast
from realtime import log

INTERVAL = timedelta(seconds=1)
_STATES = (
    "SELECT id, progress_stale, progress_at IS NULL OR progress_at <= %s,"
    f" finished_at IS NULL AND due_at IS NULL AND {batches.finished('koinonia_broadcast.id')}"
    " FROM koinonia_broadcast WHERE id IN ({keys}) ORDER BY id"
)


def with_counts(broadcasts: list[Broadcast]) -> list[Broadcast]:
    """Return ``broadcasts`` with counts that one query reads."""
    counts = batches.counts_of(broadcast.pk for broadcast in broadcasts)
    for broadcast in broadcasts:
        broadcast.remember(counts[broadcast.pk])
    return broadcasts


def publish(broadcast_ids: Iterable[int], now: datetime) -> None:
    """Append a progress event for each broadcast that may publish one now.

    Each event takes a transaction of its own after the change: it must not prolong the transaction
    that settles results. Most changes come within a second of the last event and cost one query.
    """
    for state in _states(broadcast_ids, now):
        if not (state.has_ended or state.may_publish):
            if not state.is_stale:
                _postpone(state.pk)
        elif not _publish_one(state, now):
            # Another process was quicker. Its event may have been counted before this change.
            _postpone(state.pk)


def publish_postponed(now: datetime) -> None:
    """Append the events that :func:`publish` postponed because the last event was too recent."""
    publish(Broadcast.objects.progress_due(now - INTERVAL).values_list("pk", flat=True), now)


@dataclass(frozen=True, slots=True)
class _State:
    """What a broadcast has published, and whether it has ended since."""

    pk: int
    is_stale: bool
    """Another change has postponed its event."""
    may_publish: bool
    has_ended: bool


def _states(broadcast_ids: Iterable[int], now: datetime) -> Iterator[_State]:
    wanted = sorted(broadcast_ids)
    if not wanted:
        return
    connection = connections[Broadcast.objects.db]
    until = connection.ops.adapt_datetimefield_value(now - INTERVAL)
    with connection.cursor() as cursor:
        # Raw SQL: each group of results and of reports asks this.
        cursor.execute(_STATES.format(keys=", ".join(map(str, wanted))), [until])
        rows = cursor.fetchall()
    for pk, is_stale, may_publish, has_ended in rows:
        yield _State(pk, bool(is_stale), bool(may_publish), bool(has_ended))


def _publish_one(state: _State, now: datetime) -> bool:
    """Append the event, unless another process has published since; return whether it did."""
    with transaction.atomic():
        row = Broadcast.objects.filter(pk=state.pk)
        if state.has_ended:
            taken = row.filter(finished_at=None).update(
                finished_at=now, progress_at=now, progress_stale=False
            )
        else:
            not_recent = Q(progress_at=None) | Q(progress_at__lte=now - INTERVAL)
            taken = row.filter(not_recent).update(progress_at=now, progress_stale=False)
        if taken:
            broadcast = Broadcast.objects.select_related("church").get(pk=state.pk)
            news = [events.broadcast_progress(broadcast)]
            log.append({f"church:{broadcast.church.slug}": news}, now=now)
    return bool(taken)


def _postpone(broadcast_id: int) -> None:
    Broadcast.objects.filter(pk=broadcast_id, progress_stale=False).update(progress_stale=True)
