"""Reads the event log of a church for its webhooks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from koinonia.models import WebhookCursor
from realtime.log_reader import Head, read_head
from realtime.models import Event

MOST_SCANNED = 2_000
"""Events of other types that one turn passes over."""


@dataclass(frozen=True, slots=True)
class Found:
    """Events of the wanted types: number, type and body. ``last`` is the last number that was looked at."""

    events: list[tuple[int, str, str]]
    last: int


def head_of(slug: str) -> Head:
    """Return the range of the church's stream."""
    return read_head(f"church:{slug}")


def deleted_after(cursor: WebhookCursor, slug: str) -> int:
    """Return how many events after the position of a webhook the log has deleted."""
    head = head_of(slug)
    return max(0, head.first - 1 - cursor.seq) if head.epoch == cursor.epoch else 0


def read(head: Head, after: int, types: Collection[str], most: int) -> Found | None:
    """Return at most ``most`` events after ``after``; None if the log has been pruned there."""
    end = min(head.last, after + MOST_SCANNED)
    if end <= after or most <= 0:
        return Found([], after)
    rows = Event.objects.filter(stream_id=head.stream_id, seq__gt=after, seq__lte=end)
    kinds = list(rows.order_by("seq").values_list("seq", "type"))
    if len(kinds) != end - after:
        return None
    wanted = [(seq, kind) for seq, kind in kinds if kind in types]
    if len(wanted) >= most:
        wanted = wanted[:most]
        end = wanted[-1][0]
    held = bodies(head, [seq for seq, _ in wanted])
    if len(held) != len(wanted):
        return None
    return Found([(seq, kind, held[seq]) for seq, kind in wanted], end)


def bodies(head: Head, seqs: Collection[int]) -> dict[int, str]:
    """Return the JSON of the events that the log holds, by number."""
    if not seqs:
        return {}
    rows = Event.objects.filter(stream_id=head.stream_id, seq__in=seqs)
    return dict(rows.values_list("seq", "body"))


def number_before(head: Head, since: datetime) -> int:
    """Return the number before the first event at or after ``since``. Events are in order of time."""
    rows = Event.objects.filter(stream_id=head.stream_id, seq__gte=head.first, seq__lte=head.last)
    low, high = head.first, head.last + 1
    while low < high:
        middle = (low + high) // 2
        at = rows.filter(seq=middle).values_list("at", flat=True).first()
        if at is None or at < since:
            low = middle + 1
        else:
            high = middle
    return low - 1
