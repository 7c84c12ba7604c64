"""Cancelling broadcasts, by request or because their group is deleted."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from delivery.cancel import cancel_batch
from delivery.changes import message_changes
from delivery.statuses import Status
from koinonia.broadcasts import progress
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import update_forecast
from koinonia.models import Broadcast, Group, Series
from koinonia.series.occurrences import plan_following


def cancel_broadcast(broadcast: Broadcast, *, now: datetime, plans: bool = True) -> int:
    """Cancel unsent messages; return their number (0 if all were sent already).

    A scheduled broadcast has no messages yet. Its row is the lock between this request and the
    worker that creates the messages: the second of the two finds ``due_at`` cleared. The next
    occurrence of its series is planned, unless ``plans`` is false.
    """
    with message_changes(now):
        waiting = Broadcast.objects.filter(pk=broadcast.pk, due_at__isnull=False)
        if waiting.update(due_at=None, cancelled_at=now, ended_as=Status.CANCELLED.value):
            transaction.on_commit(partial(progress.publish, [broadcast.pk], now))
            if plans:
                plan_following(broadcast, now)
            return max(1, broadcast.total - broadcast.forecast_suppressed)
    rows = Broadcast.objects.filter(pk=broadcast.pk, cancelled_at__isnull=True)
    return cancel_batch(
        broadcast.church_id, broadcast.pk, now=now, finish=lambda: rows.update(cancelled_at=now)
    )


def cancel_broadcasts_to(group: Group, *, now: datetime) -> int:
    """Cancel scheduled broadcasts to this group alone, or without this group; return their number.

    Call it before the group's deletion, in the same transaction. A broadcast with further recipients
    stays scheduled and gets a new forecast. A broadcast that leaves this group out would text its
    members after the deletion.
    """
    cancelled = 0
    with message_changes(now):
        waiting = Broadcast.objects.filter(church=group.church_id, due_at__isnull=False)
        # Lock the broadcasts before a series, as the workers do, so that two of them cannot deadlock.
        waiting = waiting.select_for_update(of=("self",))
        for broadcast in waiting.select_related("church").order_by("pk"):
            audience = Audience.from_json(broadcast.audience)
            if group.pk in audience.excluded_ids:
                # The next occurrence would text the people of the deleted group.
                Series.objects.filter(pk=broadcast.series_id or 0).update(ended_at=now)
                cancelled += bool(cancel_broadcast(broadcast, now=now))
                continue
            if group.pk not in audience.group_ids:
                continue
            others = Group.objects.filter(church=group.church_id, pk__in=audience.group_ids)
            if audience.member_ids or others.exclude(pk=group.pk).exists():
                transaction.on_commit(partial(_publish_forecast, broadcast.pk, now))
            else:
                Series.objects.filter(pk=broadcast.series_id or 0).update(ended_at=now)
                cancelled += bool(cancel_broadcast(broadcast, now=now))
    return cancelled


def _publish_forecast(broadcast_id: int, now: datetime) -> None:
    """Count the forecast without the deleted group and publish it."""
    with transaction.atomic():
        waiting = Broadcast.objects.filter(pk=broadcast_id, due_at__isnull=False)
        for broadcast in waiting.select_related("church"):
            update_forecast(broadcast)
    progress.publish([broadcast_id], now)
