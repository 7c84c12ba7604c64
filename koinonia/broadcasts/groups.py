"""Scheduled broadcasts to a group that is deleted."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from delivery.changes import message_changes
from koinonia.broadcasts import progress_events
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.plan import forecast_again
from koinonia.models import Broadcast, Group


def release_group(group: Group, *, now: datetime) -> int:
    """Cancel the scheduled broadcasts that are for this group alone; return how many they were.

    Call it before the deletion, in the same transaction. A broadcast that names others, too, goes to
    them: its forecast is counted again.
    """
    cancelled = 0
    with message_changes(now):
        waiting = Broadcast.objects.filter(church=group.church_id, due_at__isnull=False)
        for broadcast in waiting.select_related("church").order_by("pk"):
            audience = Audience.from_json(broadcast.audience)
            if group.pk not in audience.group_ids:
                continue
            others = Group.objects.filter(church=group.church_id, pk__in=audience.group_ids)
            if audience.member_ids or others.exclude(pk=group.pk).exists():
                transaction.on_commit(partial(_tell_of_forecast, broadcast.pk, now))
            elif cancel_broadcast(broadcast, now=now):
                cancelled += 1
    return cancelled


def _tell_of_forecast(broadcast_id: int, now: datetime) -> None:
    """Count the forecast without the group, and tell it."""
    with transaction.atomic():
        waiting = Broadcast.objects.filter(pk=broadcast_id, due_at__isnull=False)
        for broadcast in waiting.select_related("church"):
            forecast_again(broadcast)
    progress_events.tell([broadcast_id], now)
