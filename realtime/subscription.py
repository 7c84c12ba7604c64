"""One stream on one socket: first what was missed, from the log; then what comes, from the feed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from realtime import pages
from realtime.feed import Frame
from realtime.flow import Flow
from realtime.pages import ForgottenError, Head
from realtime.threads import in_thread

QUEUED_FRAMES = 64

Send = Callable[[str], Awaitable[None]]


class Subscription:
    """Sends each event exactly once and in order, or ``reset``.

    The queue from the feed is short and may overflow: ``sent`` says what the client has, and every
    gap, whatever made it, is filled from the log.
    """

    def __init__(
        self,
        key: str,
        name: str,
        send: Send,
        send_reset: Callable[[Head], Awaitable[None]],
        flow: Flow,
    ) -> None:
        self.key = key
        self.name = name
        self.sent = 0
        self.epoch = ""
        self.task: asyncio.Task[None] | None = None
        self._send = send
        self._send_reset = send_reset
        self._flow = flow
        self._queue: deque[Frame] = deque(maxlen=QUEUED_FRAMES)
        self._news = asyncio.Event()
        self._must_read = False

    def push(self, frame: Frame) -> None:
        self._queue.append(frame)
        self._news.set()

    def behind(self) -> None:
        self._must_read = True
        self._news.set()

    def start_at(self, seq: int, epoch: str) -> None:
        self.sent, self.epoch = seq, epoch

    async def run(self, head: Head) -> None:
        """From ``head``, read after joining, until cancelled. Raises TooSlowError."""
        await self._send_up_to(head)
        while True:
            await self._news.wait()
            self._news.clear()
            while self._must_read or self._queue:
                if self._must_read:
                    self._must_read = False
                    await self._catch_up()
                else:
                    await self._pass_on(self._queue.popleft())

    async def _pass_on(self, frame: Frame) -> None:
        if frame.last <= self.sent:
            return
        await self._flow.room()
        if frame.first == self.sent + 1:
            await self._deliver(frame.last, frame.text)
        else:
            await self._catch_up()

    async def _catch_up(self) -> None:
        await self._send_up_to(await in_thread(pages.head, self.key))

    async def _send_up_to(self, head: Head) -> None:
        if not head.holds(self.sent, self.epoch):
            return await self._reset(head)
        while self.sent < head.last:
            await self._flow.room()
            try:
                page = await in_thread(pages.page, head, self.sent)
            except ForgottenError:
                return await self._reset(head)
            await self._deliver(page.last, page.frame(self.name))
        return None

    async def _deliver(self, last: int, text: str) -> None:
        self._flow.sent(self.name, last, len(text.encode()))
        await self._send(text)
        self.sent = last

    async def _reset(self, head: Head) -> None:
        self.start_at(head.last, head.epoch)
        await self._send_reset(head)
