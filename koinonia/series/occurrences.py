"""The occurrences of a series: scheduled broadcasts, one at a time.

The transaction that takes or cancels an occurrence plans the next one. The unique constraint on
(series, occurrence) and the lock on the series let two workers plan it once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice

from django.db import DatabaseError, transaction

from delivery.accept import UnacceptableError
from koinonia import events
from koinonia.broadcasts.send import update_forecast
from koinonia.media.storage import keep_used
from koinonia.models import Broadcast, Series
from koinonia.series.repeat import dates_after, moment
from koinonia.zones import zone_named
from realtime import log

logger = logging.getLogger(__name__)


def next_occurrence(series: Series, after: date | None, now: datetime) -> date | None:
    """Return the next day after ``after`` with a time in the future; None if the series is over.

    Occurrences that were missed, because no worker ran, are left out.
    """
    zone = zone_named(series.church.timezone)
    days = dates_after(series, after)
    return next((day for day in days if moment(day, series.at, zone) > now), None)


def coming(series: Series, most: int) -> list[datetime]:
    """Return the time of the scheduled occurrence, and the times after it by the rule."""
    upcoming = series.next_broadcast()
    if upcoming is None or upcoming.due_at is None:
        return []
    zone = zone_named(series.church.timezone)
    days = dates_after(series, upcoming.occurrence or upcoming.due_at.astimezone(zone).date())
    return [upcoming.due_at, *(moment(day, series.at, zone) for day in islice(days, most - 1))]


def plan_next(series_id: int, now: datetime) -> Broadcast | None:
    """Schedule the next occurrence of an active series that has none; end a series that is over.

    Call it in a transaction.
    """
    locked = Series.objects.active().select_for_update(of=("self",)).select_related("church")
    series = locked.filter(pk=series_id).first()
    if series is None or series.next_broadcast() is not None:
        return None
    # The statement above may have waited for a change of the zone, and shows the church before it.
    series.church.refresh_from_db(fields=["timezone"])
    planned = series.broadcasts.filter(occurrence__isnull=False).order_by("-occurrence")
    last = planned.values_list("occurrence", flat=True).first()
    day = next_occurrence(series, last, now)
    if day is None:
        Series.objects.filter(pk=series.pk).update(ended_at=now)
        return None
    return _schedule(series, day, now)


def plan_following(broadcast: Broadcast, now: datetime) -> None:
    """Plan the occurrence after this one, if it belongs to a series.

    A failure must not keep this occurrence from being sent: :func:`plan_missing` repairs it at night.
    """
    if broadcast.series_id is None:
        return
    with _failure_logged(broadcast.series_id), transaction.atomic():
        plan_next(broadcast.series_id, now)


@contextmanager
def _failure_logged(series_id: int) -> Iterator[None]:
    """Log a failure to plan: it must stop neither this occurrence nor the other series."""
    try:
        yield
    except (DatabaseError, UnacceptableError, ValueError, OverflowError) as error:
        logger.error(
            "The next broadcast of a series cannot be planned",
            extra={
                "action": "series_not_planned",
                "series_id": series_id,
                "error": type(error).__name__,
            },
        )


def plan_missing(now: datetime) -> int:
    """Plan the next occurrence of active series that have none; return how many were planned.

    A worker of the release before takes an occurrence without planning the next one.
    """
    waiting = Broadcast.objects.filter(due_at__isnull=False, series__isnull=False)
    without = Series.objects.active().exclude(pk__in=waiting.values("series"))
    planned = 0
    for key in list(without.values_list("pk", flat=True)):
        with _failure_logged(key), transaction.atomic():
            planned += plan_next(key, now) is not None
    return planned


def _schedule(series: Series, day: date, now: datetime) -> Broadcast:
    due_at = moment(day, series.at, zone_named(series.church.timezone))
    broadcast = Broadcast.objects.create(
        church=series.church, series=series, occurrence=day, text=series.text,
        audience=series.audience, media_urls=series.media_urls or None, author_id=series.author_id, created_at=now, scheduled_at=due_at,
        due_at=due_at,
    )  # fmt: skip
    keep_used(series.church, broadcast.media, due=due_at)
    update_forecast(broadcast)
    broadcast.refresh_from_db(fields=["total", "forecast_suppressed"])
    log.append({f"church:{series.church.slug}": [events.broadcast_created(broadcast)]}, now=now)
    return broadcast
