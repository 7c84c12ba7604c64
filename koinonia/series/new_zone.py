"""A church gets another time zone: the scheduled occurrences of its series keep their clock time."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F

from delivery.queue import hints
from koinonia.broadcasts import progress
from koinonia.models import Broadcast, Church
from koinonia.series.repeat import moment
from koinonia.zones import zone_named


def follow(church: Church, before: str, now: datetime) -> None:
    """Move the occurrences after the commit, if the zone is another than ``before``.

    A worker locks a broadcast before the church, which the caller has locked: to wait here for a
    broadcast could deadlock.
    """
    if church.timezone != before:
        transaction.on_commit(partial(_move, church, before, now))


def _move(church: Church, before: str, now: datetime) -> None:
    """Move each scheduled occurrence to its clock time in the new zone.

    An occurrence stays if a person has given it another time, or if the new time has passed.
    """
    old, new = zone_named(before), zone_named(church.timezone)
    waiting = Broadcast.objects.filter(
        church=church, occurrence__isnull=False, due_at__isnull=False
    )
    moved = []
    with transaction.atomic():
        rows = waiting.select_for_update(of=("self",)).select_related("series").order_by("pk")
        for broadcast in rows:
            if broadcast.series is None or broadcast.occurrence is None:
                continue
            usual, due_at = (
                moment(broadcast.occurrence, broadcast.series.at, zone) for zone in (old, new)
            )
            if broadcast.due_at == usual and due_at > now:
                waiting.filter(pk=broadcast.pk).update(
                    due_at=due_at, scheduled_at=due_at, edits=F("edits") + 1
                )
                moved.append(broadcast.pk)
    if moved:
        progress.publish(moved, now)
        hints.push()
