"""Search the log by time, which no index holds: events of a stream are almost in the order of time.

A binary search in one statement finds the number of the first event since a moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connections

from realtime.models import Event, Stream

_DISORDER = timedelta(seconds=5)
"""Numbers and times of two concurrent transactions may have a different order."""
_SEQ_SINCE = """
WITH RECURSIVE search(low, high) AS (
    SELECT first_seq, last_seq + 1 FROM realtime_stream WHERE id = %s
    UNION ALL
    SELECT
        CASE WHEN (SELECT at FROM realtime_event WHERE stream_id = %s AND seq = (low + high) / 2) < %s
            THEN (low + high) / 2 + 1 ELSE low END,
        CASE WHEN (SELECT at FROM realtime_event WHERE stream_id = %s AND seq = (low + high) / 2) < %s
            THEN high ELSE (low + high) / 2 END
    FROM search WHERE low < high
)
SELECT low FROM search WHERE low >= high
"""


def events_between(key: str, since: datetime, until: datetime, *, most: int) -> list[Event]:
    """Return the events of a stream from ``since`` to ``until``, at most ``most``, oldest first."""
    stream = Stream.objects.filter(key=key).values_list("pk", flat=True).first()
    if stream is None:
        return []
    first = _seq_since(stream, since - _DISORDER)
    events = Event.objects.filter(stream=stream, seq__gte=first, seq__lt=first + most)
    return [event for event in events.order_by("seq") if since <= event.at <= until]


def _seq_since(stream: int, moment: datetime) -> int:
    connection = connections[Event.objects.db]
    at = connection.ops.adapt_datetimefield_value(moment)
    with connection.cursor() as cursor:
        cursor.execute(_SEQ_SINCE, [stream, stream, at, stream, at])
        found = cursor.fetchone()
    return int(found[0]) if found else 0
