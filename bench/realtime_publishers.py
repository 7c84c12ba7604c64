"""How each contender is given the same events, and when each was handed over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import realtime_contenders as contenders
import redis

from tests.realtime.club import Club

STREAM = "club:chess"
Committed = list[tuple[int, int, int]]
"""First and last number, and the moment in monotonic ns: of each commit, or of each publish."""


class Publisher(Protocol):
    def first(self) -> int:
        """The number of the next event."""

    def burst(self, events: int) -> Committed:
        """So many at once."""

    def paced(self, events: int, per_second: float) -> Committed:
        """One by one, evenly."""


class Log:
    """Ours: a worker's process commits to the database."""

    def __init__(self, club: Club) -> None:
        self._club = club

    def first(self) -> int:
        return int(self._club.write("head", STREAM)) + 1

    def burst(self, events: int) -> Committed:
        committed: Committed = self._club.write("append_timed", STREAM, events, events, 0)
        return committed

    def paced(self, events: int, per_second: float) -> Committed:
        committed: Committed = self._club.write("append_timed", STREAM, events, 1, per_second)
        return committed


class _Numbered:
    """For contenders without a log: one event's frame, numbered anew."""

    def __init__(self, club: Club) -> None:
        [(number, _, self._frame)] = club.write("frames", STREAM, club.write("head", STREAM) - 1)
        self._number = str(number)
        self._next = 1

    def first(self) -> int:
        return self._next

    def _take(self) -> tuple[int, str]:
        number, self._next = self._next, self._next + 1
        return number, self._frame.replace(self._number, str(number))


class Bare(_Numbered):
    """Redis hands the bare server the frames that a reader of our log gets."""

    def __init__(self, club: Club, redis_url: str, burst: int) -> None:
        super().__init__(club)
        self._client = redis.Redis.from_url(redis_url)
        first = club.write("head", STREAM) - burst + 1
        self._frames: list[tuple[int, int, str]] = [
            (begin - first, end - first, text)
            for begin, end, text in club.write("frames", STREAM, first - 1)
        ]

    def burst(self, events: int) -> Committed:
        first, self._next = self._next, self._next + events
        committed = []
        for begin, end, text in self._frames:
            old = text.partition('"events":')[2]
            head = (
                f'{{"type":"events","stream":"{STREAM}","from":{first + begin},"to":{first + end},'
            )
            committed.append((first + begin, first + end, time.monotonic_ns()))
            self._client.publish(contenders.GROUP, f'{head}"events":{old}')
        return committed

    def paced(self, events: int, per_second: float) -> Committed:
        committed = []

        def publish() -> None:
            number, frame = self._take()
            committed.append((number, number, time.monotonic_ns()))
            self._client.publish(contenders.GROUP, frame)

        _evenly(publish, events, per_second)
        return committed


class Channels(_Numbered):
    """One ``group_send`` per event, from a process of its own as a worker's would be."""

    def __init__(self, club: Club, redis_url: str, kind: str) -> None:
        super().__init__(club)
        self._layer = contenders.sender(kind, redis_url)
        self._loop = asyncio.new_event_loop()

    def burst(self, events: int) -> Committed:
        return self.paced(events, 0)

    def paced(self, events: int, per_second: float) -> Committed:
        committed = []

        async def send_all() -> None:
            due = time.monotonic()
            for _ in range(events):
                number, frame = self._take()
                committed.append((number, number, time.monotonic_ns()))
                await self._layer.group_send(contenders.GROUP, {"type": "tell", "text": frame})
                due += 1 / per_second if per_second else 0
                await asyncio.sleep(max(0.0, due - time.monotonic()))

        self._loop.run_until_complete(send_all())
        return committed


def _evenly(act: Callable[[], Any], times: int, per_second: float) -> None:
    due = time.monotonic()
    for _ in range(times):
        act()
        due += 1 / per_second
        time.sleep(max(0.0, due - time.monotonic()))
