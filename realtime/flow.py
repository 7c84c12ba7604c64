"""How much a client may have unread: daphne gives no back-pressure, so acks do.

A client that acknowledges once per 128 KiB of all its streams together is never paused for long: a
frame has at most 64 KiB. More often is as good, and costs the server about as much as sending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

UNACKNOWLEDGED_BYTES = 256 * 1024
PAUSE_SECONDS = 10


class TooSlowError(Exception):
    """The client did not acknowledge for too long."""


class Paused(Protocol):
    """What waits for room."""

    def resume(self) -> None:
        """There is room, for one frame at least. May wait again."""

    def give_up(self, error: TooSlowError) -> None:
        """There was none for :data:`PAUSE_SECONDS`."""


class Flow:
    """Counts what was sent to one socket and not yet acknowledged."""

    def __init__(self) -> None:
        self._sent: deque[tuple[str, int, int]] = deque()
        self._unacknowledged = 0
        self._paused: dict[Paused, None] = {}
        self._patience: asyncio.TimerHandle | None = None

    @property
    def has_room(self) -> bool:
        return self._unacknowledged <= UNACKNOWLEDGED_BYTES

    def sent(self, stream: str, seq: int, size: int) -> None:
        self._sent.append((stream, seq, size))
        self._unacknowledged += size

    def acknowledge(self, stream: str, seq: int) -> bool:
        """Everything of ``stream`` up to ``seq`` has arrived, and so has what was sent before it.

        A socket keeps its order: that also settles streams that were left or started again. Returns
        whether there was anything to acknowledge.
        """
        arrived = 0
        for place, (of, number, _) in enumerate(self._sent, 1):
            if of == stream and number <= seq:
                arrived = place
        for _ in range(arrived):
            self._unacknowledged -= self._sent.popleft()[2]
        if arrived and self._paused:
            self._go_on()
        return arrived > 0

    def pause(self, paused: Paused) -> None:
        """``paused`` is told when there is room. Without a task: a quick client pauses often."""
        self._paused[paused] = None
        if self._patience is None:
            self._wait()

    def forget(self, paused: Paused) -> None:
        self._paused.pop(paused, None)
        if not self._paused:
            self._stop_waiting()

    async def room(self) -> None:
        """Waits while too much is unacknowledged. Raises :class:`TooSlowError`."""
        while not self.has_room:
            task = _PausedTask()
            self.pause(task)
            try:
                await task.has_room
            finally:
                self.forget(task)

    def _wait(self) -> None:
        self._patience = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _go_on(self) -> None:
        self._stop_waiting()
        while self._paused and self.has_room:
            first = next(iter(self._paused))
            del self._paused[first]
            first.resume()
        if self._paused and self._patience is None:
            self._wait()

    def _give_up(self) -> None:
        self._patience = None
        paused, self._paused = self._paused, {}
        for each in paused:
            each.give_up(TooSlowError())


class _PausedTask:
    def __init__(self) -> None:
        self.has_room: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        if not self.has_room.done():
            self.has_room.set_result(None)

    def give_up(self, error: TooSlowError) -> None:
        if not self.has_room.done():
            self.has_room.set_exception(error)
