"""A church gets another time zone: the scheduled occurrences of its series keep their clock time."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from delivery.queue import hints
from koinonia.broadcasts import progress
from koinonia.database.locks import without_waiting
from koinonia.models import Broadcast, Church, Series
from koinonia.series.repeat import moment
from koinonia.zones import zone_named


def follow(church: Church, before: str, now: datetime) -> None:
    """Move each scheduled occurrence to its clock time in the new zone, if the zone has changed.

    Call it in the transaction that changes the church: a crash changes both or neither. An
    occurrence stays if a person has given it another time, or if the new time has passed. Raise
    RowsTakenError if a worker or a colleague works on one of the series: they lock an occurrence and
    its series before the church, so that to wait for them could deadlock.
    """
    if church.timezone == before:
        return
    old, new = zone_named(before), zone_named(church.timezone)
    waiting = Broadcast.objects.filter(
        church=church, occurrence__isnull=False, due_at__isnull=False
    )
    moved = []
    with transaction.atomic():
        with without_waiting():
            rows = waiting.select_for_update(of=("self",), nowait=True).order_by("pk")
            occurrences = list(rows.select_related("series"))
            not_over = Series.objects.filter(church=church, ended_at=None).order_by("pk")
            list(not_over.select_for_update(of=("self",), nowait=True).values("pk"))
        for broadcast in occurrences:
            if broadcast.series is None or broadcast.occurrence is None:
                continue
            usual, due_at = (
                moment(broadcast.occurrence, broadcast.series.at, zone) for zone in (old, new)
            )
            if broadcast.due_at == usual and due_at > now:
                # The mark publishes the new time later if this process ends before it does.
                waiting.filter(pk=broadcast.pk).update(
                    due_at=due_at, scheduled_at=due_at, edits=F("edits") + 1, progress_stale=True,
                    progress_at=Coalesce("progress_at", Value(now - progress.INTERVAL)),
                )  # fmt: skip
                moved.append(broadcast.pk)
        if moved:
            transaction.on_commit(partial(progress.publish, moved, now))
            transaction.on_commit(hints.push)
