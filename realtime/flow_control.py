"""Limits of one socket: unacknowledged bytes to the client, and frames per second from it.

daphne gives no back-pressure, so acknowledgements replace it. A client that acknowledges once per
128 KiB of all its streams together is never paused for long, because a frame has at most 64 KiB.
More acknowledgements are allowed, and each costs the server about as much CPU as a frame.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from realtime import conf

MAX_UNACKNOWLEDGED_BYTES = 256 * 1024
MAX_PAUSE_SECONDS = 10


class FrameRate:
    """A token bucket for the frames of one socket.

    ``now`` is in seconds of any monotonic clock. The burst covers a page that subscribes again.
    """

    def __init__(self, now: float) -> None:
        self._per_second = conf.frames_per_second()
        self._burst = float(conf.frames_burst())
        self._tokens = self._burst
        self._updated_at = now

    def take(self, now: float) -> bool:
        """Return whether the socket may send one more frame now."""
        earned = (now - self._updated_at) * self._per_second
        self._tokens = min(self._burst, self._tokens + earned)
        self._updated_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class TooSlowError(Exception):
    """The client did not acknowledge for :data:`MAX_PAUSE_SECONDS`."""


class Sender(Protocol):
    """A sender that :class:`SendWindow` can pause."""

    def resume(self) -> None:
        """Send again: there is room for at least one frame. May pause again."""

    def give_up(self, error: TooSlowError) -> None:
        """Stop: there was no room for :data:`MAX_PAUSE_SECONDS`."""


class SendWindow:
    """The bytes that one socket has sent and its client has not acknowledged."""

    def __init__(self) -> None:
        self._sent: deque[tuple[str, int, int]] = deque()
        self._unacknowledged = 0
        self._paused: dict[Sender, None] = {}
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def has_room(self) -> bool:
        return self._unacknowledged <= MAX_UNACKNOWLEDGED_BYTES

    def add(self, stream: str, seq: int, size: int) -> None:
        """Count a sent frame that ends with event ``seq`` of ``stream``."""
        self._sent.append((stream, seq, size))
        self._unacknowledged += size

    def acknowledge(self, stream: str, seq: int) -> bool:
        """Settle all frames up to ``seq`` of ``stream``; return whether there was any.

        A socket keeps the order of its frames, so this also settles older frames of other streams
        and of earlier subscriptions.
        """
        settled = 0
        for count, (sent_stream, sent_seq, _) in enumerate(self._sent, 1):
            if sent_stream == stream and sent_seq <= seq:
                settled = count
        for _ in range(settled):
            self._unacknowledged -= self._sent.popleft()[2]
        if settled and self._paused:
            self._resume_senders()
        return settled > 0

    def pause(self, sender: Sender) -> None:
        """Call ``sender.resume`` when there is room. Needs no task: a fast client pauses often."""
        self._paused[sender] = None
        if self._deadline is None:
            self._start_deadline()

    def remove(self, sender: Sender) -> None:
        """Forget a paused sender."""
        self._paused.pop(sender, None)
        if not self._paused:
            self._stop_deadline()

    async def wait_for_room(self) -> None:
        """Wait while the window is full. Raise :class:`TooSlowError`."""
        while not self.has_room:
            sender = _WaitingTask()
            self.pause(sender)
            try:
                await sender.has_room
            finally:
                self.remove(sender)

    def _start_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(MAX_PAUSE_SECONDS, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _resume_senders(self) -> None:
        self._stop_deadline()
        while self._paused and self.has_room:
            first = next(iter(self._paused))
            del self._paused[first]
            first.resume()
        if self._paused and self._deadline is None:
            self._start_deadline()

    def _give_up(self) -> None:
        self._deadline = None
        paused, self._paused = self._paused, {}
        for sender in paused:
            sender.give_up(TooSlowError())


class _WaitingTask:
    """A task that waits for room, as a sender."""

    def __init__(self) -> None:
        self.has_room: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        if not self.has_room.done():
            self.has_room.set_result(None)

    def give_up(self, error: TooSlowError) -> None:
        if not self.has_room.done():
            self.has_room.set_exception(error)
