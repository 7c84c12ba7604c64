"""Find the events of the log about one text, for the church's pages and for the author.

The log has no index by message. The rows of the text have the times of its changes, so the search looks around
these times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from delivery.models import Attempt, Message, WebhookEvent
from koinonia.ids import encode
from realtime.log_search import events_between

_MOST_WINDOWS = 6
_MOST_READ = 1000
"""Events of one window."""
_BEFORE, _AFTER = timedelta(seconds=1), timedelta(seconds=30)
_IDS = ("message", "id")


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the log: its stream, number and type, and the status in it."""

    stream: str
    seq: int
    type: str
    at: datetime
    status: str


def told_about(
    message: Message, calls: Sequence[Attempt], reports: Sequence[WebhookEvent]
) -> list[Told]:
    """Return the events about ``message``, oldest first.

    A very busy church may have more events around one moment than are read: these stay out.
    """
    moments = [
        message.created_at, message.updated_at,
        *(call.started_at for call in calls),
        *(report.applied_at for report in reports if report.applied_at),
    ]  # fmt: skip
    streams = [f"church:{message.tenant.slug}"]
    if message.author_id:
        streams.append(f"user:{message.author_id}")
    found = {
        (told.stream, told.seq): told
        for since, until in _windows(moments)
        for stream in streams
        for told in _told(stream, encode(message.pk), since, until)
    }
    return sorted(found.values(), key=lambda told: (told.at, told.stream, told.seq))


def _windows(moments: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Return spans around the moments, joined where they meet; at most six, the first ones and the last."""
    windows: list[tuple[datetime, datetime]] = []
    for moment in sorted(moments):
        since, until = moment - _BEFORE, moment + _AFTER
        if windows and since <= windows[-1][1]:
            windows[-1] = (windows[-1][0], until)
        else:
            windows.append((since, until))
    return (
        windows if len(windows) <= _MOST_WINDOWS else [*windows[: _MOST_WINDOWS - 1], windows[-1]]
    )


def _told(stream: str, key: str, since: datetime, until: datetime) -> list[Told]:
    found = []
    for event in events_between(stream, since, until, most=_MOST_READ):
        if not event.type.startswith("message.") or key not in event.body:
            continue
        data: dict[str, Any] = orjson.loads(event.body).get("data", {})
        if key in [data.get(name) for name in _IDS]:
            status = str(data.get("status", ""))
            found.append(Told(stream, event.seq, event.type, event.at, status))
    return found
