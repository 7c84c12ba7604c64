"""Publishers: each gives a contender the same events, and returns the time of each publish."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import realtime_contenders as contenders

from tests.realtime.second_project.processes import SecondProject

UNHEARD = "club:bare"
"""The stream for the events of the bare server: they are in the log too, without a socket of ours."""
Committed = list[tuple[int, int, int]]
"""For each commit or publish: first and last number, and the time in monotonic ns."""


class Publisher(Protocol):
    def first(self) -> int:
        """Return the number of the next event."""

    def publish(self, events: int, batch: int, per_second: float) -> Committed:
        """Publish ``events``, ``batch`` at a time, evenly; ``per_second`` 0: as fast as possible."""


class Log:
    """Publishes for our server: a process like a worker commits to the database."""

    def __init__(self, project: SecondProject, stream: str) -> None:
        self._project, self._stream = project, stream

    def first(self) -> int:
        return int(self._project.write("head", self._stream)) + 1

    def publish(self, events: int, batch: int, per_second: float) -> Committed:
        committed: Committed = self._project.write(
            "append_timed", self._stream, events, batch, per_second
        )
        return committed


class Bare:
    """Publishes for the bare server: the same commits, and then the frames through Redis."""

    def __init__(self, project: SecondProject, redis_url: str, batches: tuple[int, ...]) -> None:
        self._project, self._redis_url = project, redis_url
        for batch in batches:
            self.publish(0, batch, 0)  # create the frames

    def first(self) -> int:
        return int(self._project.write("head", UNHEARD)) + 1

    def publish(self, events: int, batch: int, per_second: float) -> Committed:
        committed: Committed = self._project.write(
            "append_and_publish", UNHEARD, events, batch, per_second, self._redis_url,
            contenders.GROUP,
        )  # fmt: skip
        return committed


class Channels:
    """Publishes for Channels: one ``group_send`` per event, from outside the server like a worker."""

    def __init__(self, project: SecondProject, redis_url: str, kind: str) -> None:
        [(number, _, self._frame)] = project.write(
            "frames", UNHEARD, project.write("head", UNHEARD) - 1
        )
        self._number = str(number)
        self._next = 1
        self._layer = contenders.sender(kind, redis_url)
        self._loop = asyncio.new_event_loop()

    def first(self) -> int:
        return self._next

    def publish(self, events: int, batch: int, per_second: float) -> Committed:
        committed = []

        async def send_all() -> None:
            due = time.monotonic()
            for number in range(self._next, self._next + events):
                frame = self._frame.replace(self._number, str(number))
                committed.append((number, number, time.monotonic_ns()))
                await self._layer.group_send(contenders.GROUP, {"type": "tell", "text": frame})
                due += 1 / per_second if per_second else 0
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._next += events

        self._loop.run_until_complete(send_all())
        return committed
