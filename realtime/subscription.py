"""One stream on one socket: first what was missed, from the log; then what comes, from the feed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from realtime import pages, sending
from realtime.feed import Frame
from realtime.flow import Flow, TooSlowError
from realtime.pages import ForgottenError, Head
from realtime.sending import Rest
from realtime.threads import in_thread

QUEUED_FRAMES = 64
_Work = Callable[[], Awaitable[None]]


class Line(Protocol):
    """What a subscription needs of its socket."""

    def transmit(self, text: str) -> Awaitable[None]: ...

    async def reset(self, head: Head) -> None:
        """Tell the client to refetch, and that it goes on from ``head``."""

    async def fail(self, key: str, error: Exception) -> None:
        """A subscription ended by an error."""


class Subscription:
    """Sends each event exactly once and in order, or ``reset``.

    While the client has everything, a frame is sent as it comes, without a task; after a pause, what
    queued is sent as acknowledgements come. Whatever else there is to do (catching up, waiting for
    the socket) is a task's work, and frames queue meanwhile. The queue is short and may overflow:
    ``sent`` says what the client has, and every gap, whatever made it, is filled from the log.
    """

    def __init__(self, key: str, name: str, line: Line, flow: Flow) -> None:
        self.key = key
        self.name = name
        self.sent = 0
        self.epoch = ""
        self._line = line
        self._flow = flow
        self._queue: deque[Frame] = deque(maxlen=QUEUED_FRAMES)
        self._must_read = False
        self._begun = False
        self._paused = False
        self._work: asyncio.Task[None] | None = None

    def start_at(self, seq: int, epoch: str) -> None:
        self.sent, self.epoch = seq, epoch

    def begin(self, head: Head) -> None:
        """From ``head``, read after joining, until stopped. Until then frames queue."""
        self._begun = True
        self._start(partial(self._send_up_to, head))

    def stop(self) -> None:
        self._begun = False
        self._flow.forget(self)
        if self._work and self._work is not asyncio.current_task():
            self._work.cancel()

    # What the feed says

    def push(self, frame: Frame) -> None:
        self._queue.append(frame)
        self._go_on()

    def behind(self) -> None:
        # What queued may be of a log that a restore has replaced; all that counts is read anew.
        self._queue.clear()
        self._must_read = True
        self._go_on()

    # What the flow says

    def resume(self) -> None:
        self._paused = False
        self._go_on()

    def give_up(self, error: TooSlowError) -> None:
        self._paused = False
        self._start(partial(self._raise, error))

    # Without a task

    def _go_on(self) -> None:
        while self._begun and not (self._work or self._paused):
            if self._must_read:
                self._must_read = False
                self._start(self._catch_up)
            elif not self._queue:
                return
            elif not self._flow.has_room:
                self._paused = True
                self._flow.pause(self)
            else:
                self._pass_on(self._queue.popleft())

    def _pass_on(self, frame: Frame) -> None:
        if frame.first == self.sent + 1:
            self._send(frame)
        elif frame.last > self.sent:
            self._start(self._catch_up)

    def _send(self, frame: Frame) -> None:
        self._flow.sent(self.name, frame.last, frame.size)
        try:
            rest = sending.begin(self._line.transmit(frame.text))
        except Exception as error:
            self._start(partial(self._raise, error))
        else:
            if rest is None:
                self.sent = frame.last
            else:
                self._start(partial(self._finish, rest, frame.last))

    # In a task

    def _start(self, work: _Work) -> None:
        self._work = asyncio.create_task(self._do(work))

    async def _do(self, work: _Work) -> None:
        try:
            # Made here: stopped before it begins, it would be a coroutine that nobody awaits.
            await work()
        except Exception as error:
            self._begun = False
            await self._line.fail(self.key, error)
        finally:
            self._work = None
        self._go_on()

    async def _raise(self, error: Exception) -> None:
        raise error

    async def _finish(self, rest: Rest, last: int) -> None:
        await rest
        self.sent = last

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
            await self._deliver(Frame.of(page, self.name))
        return None

    async def _deliver(self, frame: Frame) -> None:
        self._flow.sent(self.name, frame.last, frame.size)
        await self._line.transmit(frame.text)
        self.sent = frame.last

    async def _reset(self, head: Head) -> None:
        self.start_at(head.last, head.epoch)
        await self._line.reset(head)
