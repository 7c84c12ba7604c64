"""Reads the log: heads of streams, and pages of events that are already encoded."""

from __future__ import annotations

import json
from dataclasses import dataclass

from realtime import conf
from realtime.models import Event, Stream

PAGE_EVENTS = 256
PAGE_CHARACTERS = 64 * 1024


class PrunedError(LookupError):
    """The requested events were pruned: the reader has to reset."""


@dataclass(frozen=True, slots=True)
class Head:
    """The range of a stream: its events are ``first`` to ``last`` of ``epoch``."""

    key: str
    stream_id: int
    epoch: str
    first: int
    last: int

    def can_resume(self, after: int, epoch: str | None) -> bool:
        """Return whether a reader that has all events up to ``after`` can continue without a gap."""
        return (epoch is None or epoch == self.epoch) and self.first - 1 <= after <= self.last


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive events ``first`` to ``last``; an empty page has ``last = first - 1``.

    The range counts events that ``MAY_TELL`` withholds; ``events`` does not contain them.
    """

    first: int
    last: int
    events: str
    """The JSON of the events, joined by commas."""

    def frame(self, stream: str) -> str:
        """Return the ``events`` frame, with the name that clients use for the stream."""
        return (
            f'{{"type":"events","stream":{json.dumps(stream)},'
            f'"from":{self.first},"to":{self.last},"events":[{self.events}]}}'
        )


def read_heads(keys: list[str]) -> dict[str, Head]:
    """Return the heads of the streams that exist, in one query."""
    columns = ("key", "id", "epoch", "first_seq", "last_seq")
    rows = Stream.objects.filter(key__in=keys).values_list(*columns)
    return {row[0]: Head(*row) for row in rows}


def read_head(key: str) -> Head:
    """Return the head of a stream; create a stream that does not exist."""
    found = read_heads([key])
    if key not in found:
        Stream.objects.bulk_create([Stream(key=key)], ignore_conflicts=True)
        found = read_heads([key])
    return found[key]


def read_page(
    head: Head, after: int, limit: int = PAGE_EVENTS, characters: int | None = PAGE_CHARACTERS
) -> Page:
    """Return the events after ``after``: at most ``limit``, and about ``characters`` long.

    Raise :class:`PrunedError`.
    """
    last = min(head.last, after + limit)
    if last <= after:
        return Page(after + 1, after, "")
    bodies = list(
        Event.objects.filter(stream_id=head.stream_id, seq__gt=after, seq__lte=last)
        .order_by("seq")
        .values_list("body", flat=True)
    )
    if len(bodies) != last - after:
        raise PrunedError(f"{head.key} does not hold all of {after + 1} to {last} any more.")
    kept = _first_that_fit(bodies, characters)
    may_tell = conf.may_tell()
    visible = may_tell(head.key, kept) if may_tell else kept
    return Page(after + 1, after + len(kept), ",".join(visible))


def read_new(key: str, seen: Head | None) -> tuple[Head, Page | None]:
    """Return the head, and the page after ``seen``, or None if the log does not continue there."""
    head = read_head(key)
    if seen is None or not head.can_resume(seen.last, seen.epoch):
        return head, None
    if head.last == seen.last:
        # A second notice of the same commit, through the channel layer: there is nothing to read.
        return head, Page(head.last + 1, head.last, "")
    try:
        return head, read_page(head, seen.last)
    except PrunedError:
        return head, None


def _first_that_fit(bodies: list[str], characters: int | None) -> list[str]:
    """Return the first bodies that fit into ``characters``, at least one."""
    if characters is None:
        return bodies
    total = 0
    for count, body in enumerate(bodies):
        total += len(body)
        if total > characters and count:
            return bodies[:count]
    return bodies
