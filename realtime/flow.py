"""How much a client may have unread: daphne gives no back-pressure, so acks do.

A client that acknowledges once per 128 KiB of all its streams together is never paused for long: a
frame has at most 64 KiB. More often is as good, and costs the server about as much as sending.
"""

from __future__ import annotations

import asyncio
from collections import deque

UNACKNOWLEDGED_BYTES = 256 * 1024
PAUSE_SECONDS = 10


class TooSlowError(Exception):
    """The client did not acknowledge for too long."""


class Flow:
    """Counts what was sent to one socket and not yet acknowledged."""

    def __init__(self) -> None:
        self._sent: deque[tuple[str, int, int]] = deque()
        self._unacknowledged = 0
        self._acknowledged = asyncio.Event()

    @property
    def has_room(self) -> bool:
        return self._unacknowledged <= UNACKNOWLEDGED_BYTES

    def sent(self, stream: str, seq: int, size: int) -> None:
        self._sent.append((stream, seq, size))
        self._unacknowledged += size

    def acknowledge(self, stream: str, seq: int) -> None:
        """Everything of ``stream`` up to ``seq`` has arrived, and so has what was sent before it.

        A socket keeps its order: that also settles streams that were left or began anew.
        """
        arrived = 0
        for place, (of, number, _) in enumerate(self._sent, 1):
            if of == stream and number <= seq:
                arrived = place
        for _ in range(arrived):
            self._unacknowledged -= self._sent.popleft()[2]
        if arrived:
            self._acknowledged.set()

    async def room(self) -> None:
        """Waits while too much is unacknowledged. Raises :class:`TooSlowError`."""
        while not self.has_room:
            self._acknowledged.clear()
            try:
                # Not wait_for, which makes a task: a quick client waits here for every frame.
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._acknowledged.wait()
            except TimeoutError as error:
                raise TooSlowError from error
