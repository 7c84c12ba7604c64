"""Progress of broadcasts: counts per status, and the ``broadcast.progress`` events.

A broadcast publishes at most one event a second, and one when it finishes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from delivery.models import Message
from delivery.statuses import ON_ITS_WAY, UNFINISHED
from koinonia import events
from koinonia.models import Broadcast
from realtime import log


def with_counts(broadcasts: list[Broadcast]) -> list[Broadcast]:
    """Return ``broadcasts`` with counts that one query reads."""
    counts: dict[int, dict[str, int]] = {broadcast.pk: {} for broadcast in broadcasts}
    messages = Message.objects.filter(batch__in=counts).order_by()
    rows = messages.values_list("batch", "status").annotate(number=Count("pk"))
    for batch, status, number in rows:
        if batch is not None:
            counts[batch][status] = number
    for broadcast in broadcasts:
        broadcast.remember(counts[broadcast.pk])
    return broadcasts


INTERVAL = timedelta(seconds=1)


def publish(broadcast_ids: Iterable[int], now: datetime) -> None:
    """Append a progress event for each broadcast that may publish one now.

    Each broadcast takes a separate transaction after the change: counting 5,000 messages must not
    prolong the transaction that settles results.
    """
    for broadcast_id in sorted(broadcast_ids):
        _publish_one(broadcast_id, now)


def publish_postponed(now: datetime) -> None:
    """Append the events that :func:`publish` postponed because the last event was too recent."""
    publish(Broadcast.objects.progress_due(now - INTERVAL).values_list("pk", flat=True), now)


def _publish_one(broadcast_id: int, now: datetime) -> None:
    with transaction.atomic():
        if _claim_turn(broadcast_id, now):
            broadcast = Broadcast.objects.select_related("church").get(pk=broadcast_id)
            news = [events.broadcast_progress(broadcast)]
            log.append({f"church:{broadcast.church.slug}": news}, now=now)


def _claim_turn(broadcast_id: int, now: datetime) -> bool:
    """Return True if this process may publish now: a second after the last event, or at the end."""
    row = Broadcast.objects.filter(pk=broadcast_id)
    if not _is_unfinished(broadcast_id) and row.filter(finished_at=None).update(
        finished_at=now, progress_at=now, progress_stale=False
    ):
        return True
    not_recent = Q(progress_at=None) | Q(progress_at__lte=now - INTERVAL)
    if row.filter(not_recent).update(progress_at=now, progress_stale=False):
        return True
    row.filter(progress_stale=False).update(progress_stale=True)
    return False


def _is_unfinished(broadcast_id: int) -> bool:
    statuses = UNFINISHED | ON_ITS_WAY
    if Broadcast.objects.filter(pk=broadcast_id, due_at__isnull=False).exists():
        return True
    return Message.objects.filter(batch=broadcast_id, status__in=statuses).exists()
