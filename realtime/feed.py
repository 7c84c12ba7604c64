"""The feed of one stream in one process: read once, encoded once, passed to every listener."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from realtime import conf, log_reader, outage
from realtime.event_loop import detached_task
from realtime.log_reader import Head, Page, PrunedError
from realtime.protocol import stream_name
from realtime.signals import events_fanned_out
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_FULL_FRAME_EVENTS = 32
"""A frame of this many events gains little from more of them, so the next read starts soon."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The encoded events ``first`` to ``last``, and the size in bytes."""

    first: int
    last: int
    text: str
    size: int

    @classmethod
    def of(cls, page: Page, name: str) -> Frame:
        text = page.frame(name)
        return cls(page.first, page.last, text, len(text) if text.isascii() else len(text.encode()))


class Listener(Protocol):
    """A subscription or a held request that listens to a feed."""

    def push(self, frame: Frame) -> None:
        """Take the next frame without blocking. A listener may drop it and read the log later."""

    def reread(self) -> None:
        """Read the log: it was pruned or restored, so the next frame would leave a gap."""


class Feed:
    """Follows a stream while it has listeners."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.listeners: set[Listener] = set()
        self._seen: Head | None = None
        self._wake = asyncio.Event()
        self._task = detached_task(self._follow(), name=f"feed {key}")

    def wake(self) -> None:
        """Read the log soon: it may have new events."""
        self._wake.set()

    def compare(self, head: Head) -> None:
        """Wake if ``head`` differs from the head that was read last."""
        seen = self._seen
        if seen is None or (head.last, head.epoch) != (seen.last, seen.epoch):
            self.wake()

    def stop(self) -> None:
        self._task.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                began = asyncio.get_running_loop().time()
                count = await self._read_new()
                spent = asyncio.get_running_loop().time() - began
                await asyncio.sleep(_pause_seconds(count, spent))
                await self._wake.wait()
                self._wake.clear()
            except Exception as error:
                if not outage.note(error):
                    extra = {"action": "feed_failed"}
                    logger.exception(
                        "Reading the stream %s failed; retrying", self.key, extra=extra
                    )
                await asyncio.sleep(_RETRY_SECONDS)

    async def _read_new(self) -> int:
        """Pass the new events to the listeners; return their number."""
        seen = self._seen
        head, page = await in_thread(log_reader.read_new, self.key, self._seen)
        try:
            if page is None:
                # Listeners that joined before this first read may lack the events since then.
                raise PrunedError(f"The events of {self.key} since the last read are unknown.")
            await self._fan_out(head, page)
        except PrunedError:
            for listener in list(self.listeners):
                listener.reread()
        self._seen = head
        return head.last - seen.last if seen else 0

    async def _fan_out(self, head: Head, page: Page) -> None:
        while page.first <= page.last:
            # Read the next page while this page is sent.
            more = page.last < head.last
            following = in_thread(log_reader.read_page, head, page.last) if more else None
            frame = Frame.of(page, stream_name(self.key))
            listeners = list(self.listeners)
            for listener in listeners:
                listener.push(frame)
            events_fanned_out.send_robust(
                sender=Feed, events=frame.last - frame.first + 1, listeners=len(listeners)
            )
            if following is None:
                return
            page = await following


def _pause_seconds(count: int, spent: float) -> float:
    """Return the seconds until the next read, after ``count`` events took ``spent`` seconds.

    The first event after silence goes out at once; events that follow within the window share a
    frame. The minimum leaves time on the event loop for other work when reading takes all of it.
    """
    window = conf.window_seconds()
    return window / 10 if count >= _FULL_FRAME_EVENTS else max(window - spent, window / 3)
