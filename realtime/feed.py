"""One stream in one process: read once, encoded once, handed to everyone who listens."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from dataclasses import dataclass
from typing import Protocol

from realtime import conf, pages
from realtime.names import name_of
from realtime.pages import ForgottenError, Head, Page
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

_AFTER_ERROR_SECONDS = 0.5
_WELL_FILLED = 32
"""Events that share a frame as well as more would: to wait for them costs time and saves little."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Encoded events, all of ``first`` to ``last``; its size in bytes."""

    first: int
    last: int
    text: str
    size: int

    @classmethod
    def of(cls, page: Page, name: str) -> Frame:
        text = page.frame(name)
        return cls(page.first, page.last, text, len(text) if text.isascii() else len(text.encode()))


class Listener(Protocol):
    def push(self, frame: Frame) -> None:
        """Take the next frame. Must not block; may drop, since the log can be read again."""

    def behind(self) -> None:
        """The log jumped (pruned or restored): read it yourself."""


class Feed:
    """Follows a stream as long as it has listeners."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.listeners: set[Listener] = set()
        self._seen: Head | None = None
        self._wake = asyncio.Event()
        # In a context of its own: it outlives the request that begins it.
        self._task = asyncio.get_running_loop().create_task(
            self._follow(), name=f"feed {key}", context=Context()
        )

    def wake(self) -> None:
        """There may be something to read."""
        self._wake.set()

    def compare(self, head: Head) -> None:
        """Wake if the log is elsewhere than what was read last."""
        seen = self._seen
        if seen is None or (head.last, head.epoch) != (seen.last, seen.epoch):
            self.wake()

    @property
    def seq(self) -> int | None:
        return self._seen.last if self._seen else None

    def stop(self) -> None:
        self._task.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                began = asyncio.get_running_loop().time()
                came = await self._read_on()
                await asyncio.sleep(_pause(came, asyncio.get_running_loop().time() - began))
                await self._wake.wait()
                self._wake.clear()
            except Exception:
                logger.exception("Reading the stream %s failed; trying again.", self.key)
                await asyncio.sleep(_AFTER_ERROR_SECONDS)

    async def _read_on(self) -> int:
        """How many events came."""
        seen = self._seen
        head, page = await in_thread(pages.news, self.key, self._seen)
        try:
            if page is None:
                # Who joined before this first look may have missed what came since.
                raise ForgottenError(f"What came to {self.key} since the last look is not known.")
            await self._fan_out(head, page)
        except ForgottenError:
            for listener in list(self.listeners):
                listener.behind()
        self._seen = head
        return head.last - seen.last if seen else 0

    async def _fan_out(self, head: Head, page: Page) -> None:
        while page.first <= page.last:
            # The next page is read while this one is sent.
            following = in_thread(pages.page, head, page.last) if page.last < head.last else None
            frame = Frame.of(page, name_of(self.key))
            for listener in list(self.listeners):
                listener.push(frame)
            if following is None:
                return
            page = await following


def _pause(came: int, spent: float) -> float:
    """Seconds until the next look.

    The first event after silence goes at once; what follows closely shares a frame. Where reading and
    sending take all the time, others on this loop have some, too.
    """
    window = conf.window_seconds()
    return window / 10 if came >= _WELL_FILLED else max(window - spent, window / 3)
