"""How far broadcasts are, counted from their texts."""

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
    """The same, with the counts of all of them read by one query."""
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
    """Append the progress of those whose turn it is. Each in a transaction of its own, after the
    change: counting 5,000 messages must not prolong a settle."""
    for broadcast_id in sorted(broadcast_ids):
        _tell_one(broadcast_id, now)


def publish_postponed(now: datetime) -> None:
    """Append what :func:`tell` held back because it came too soon after the last."""
    publish(Broadcast.objects.progress_due(now - INTERVAL).values_list("pk", flat=True), now)


def _tell_one(broadcast_id: int, now: datetime) -> None:
    with transaction.atomic():
        if _claim_turn(broadcast_id, now):
            broadcast = Broadcast.objects.select_related("church").get(pk=broadcast_id)
            news = [events.broadcast_progress(broadcast)]
            log.append({f"church:{broadcast.church.slug}": news}, now=now)


def _claim_turn(broadcast_id: int, now: datetime) -> bool:
    """Whether this process tells it: the last news always, others a second apart."""
    row = Broadcast.objects.filter(pk=broadcast_id)
    if not _travelling(broadcast_id) and row.filter(finished_at=None).update(
        finished_at=now, progress_at=now, progress_stale=False
    ):
        return True
    calm = Q(progress_at=None) | Q(progress_at__lte=now - INTERVAL)
    if row.filter(calm).update(progress_at=now, progress_stale=False):
        return True
    row.filter(progress_stale=False).update(progress_stale=True)
    return False


def _travelling(broadcast_id: int) -> bool:
    statuses = UNFINISHED | ON_ITS_WAY
    if Broadcast.objects.filter(pk=broadcast_id, due_at__isnull=False).exists():
        return True
    return Message.objects.filter(batch=broadcast_id, status__in=statuses).exists()
