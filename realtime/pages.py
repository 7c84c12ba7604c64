"""Reading the log: pages of events, already encoded, and frames made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from realtime import conf
from realtime.models import Event, Stream

PAGE_EVENTS = 256
PAGE_CHARACTERS = 64 * 1024


class ForgottenError(LookupError):
    """Events that were asked for were pruned in the meantime: the reader has to reset."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a stream holds: the events from ``first`` to ``last`` of ``epoch``."""

    key: str
    stream_id: int
    epoch: str
    first: int
    last: int

    def holds(self, after: int, epoch: str | None) -> bool:
        """Whether a reader who has seen everything up to ``after`` can go on without a loss."""
        return (epoch is None or epoch == self.epoch) and self.first - 1 <= after <= self.last


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive events: all of ``first`` to ``last``, which may be none (``last = first - 1``).

    Events that may not be told any more (``MAY_TELL``) are accounted for, and are not in ``events``.
    """

    first: int
    last: int
    events: str
    """The events' JSON, joined by commas."""

    def frame(self, stream: str) -> str:
        """The ``events`` frame of contract section 6, under the name the client knows."""
        return (
            f'{{"type":"events","stream":{json.dumps(stream)},'
            f'"from":{self.first},"to":{self.last},"events":[{self.events}]}}'
        )


def heads(keys: list[str]) -> dict[str, Head]:
    """The heads of those streams that exist, in one query."""
    columns = ("key", "id", "epoch", "first_seq", "last_seq")
    rows = Stream.objects.filter(key__in=keys).values_list(*columns)
    return {row[0]: Head(*row) for row in rows}


def head(key: str) -> Head:
    """The head of one stream, which begins now if it does not exist."""
    found = heads([key])
    if key not in found:
        Stream.objects.bulk_create([Stream(key=key)], ignore_conflicts=True)
        found = heads([key])
    return found[key]


def page(
    head: Head, after: int, limit: int = PAGE_EVENTS, characters: int | None = PAGE_CHARACTERS
) -> Page:
    """What follows ``after``, up to the head, to ``limit`` events and about so many characters.

    Raises ForgottenError.
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
        raise ForgottenError(f"{head.key} no longer holds all of {after + 1} to {last}.")
    kept = _fitting(bodies, characters)
    may_tell = conf.may_tell()
    told = may_tell(head.key, kept) if may_tell else kept
    # The page accounts for all of them, also for those that are not told.
    return Page(after + 1, after + len(kept), ",".join(told))


def news(key: str, seen: Head | None) -> tuple[Head, Page | None]:
    """The head, and the page that follows on one seen before. None: it does not follow on it."""
    now = head(key)
    if seen is None or not now.holds(seen.last, seen.epoch):
        return now, None
    try:
        return now, page(now, seen.last)
    except ForgottenError:
        return now, None


def _fitting(bodies: list[str], characters: int | None) -> list[str]:
    """As many from the start as fit, and one at least."""
    if characters is None:
        return bodies
    total = 0
    for count, body in enumerate(bodies):
        total += len(body)
        if total > characters and count:
            return bodies[:count]
    return bodies
