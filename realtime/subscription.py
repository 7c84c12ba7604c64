"""Sends one stream to one socket: the missed events from the log, then the frames of the feed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from realtime import log_reader
from realtime.event_loop import Remainder, run_to_first_wait
from realtime.feed import Frame
from realtime.flow_control import SendWindow, TooSlowError
from realtime.log_reader import Head, PrunedError
from realtime.threads import in_thread

QUEUED_FRAMES = 64
_Work = Callable[[], Awaitable[None]]


class Outlet(Protocol):
    """The part of a socket that a subscription uses."""

    def send_text(self, text: str) -> Awaitable[None]: ...

    async def send_reset(self, head: Head) -> None:
        """Tell the client to fetch its data again and to continue from ``head``."""

    async def fail(self, key: str, error: Exception) -> None:
        """Handle an error that ended the subscription to ``key``."""


class Subscription:
    """Sends each event exactly once and in order, or a reset.

    While the client is up to date, a frame is sent within the fan-out, without a task. After a
    pause, acknowledgements send the queued frames. A task does the slow work (reading the log,
    waiting for the socket) while frames queue. The queue is short and may overflow: ``sent`` is the
    last event that the client has, and the log fills every gap.
    """

    def __init__(self, key: str, name: str, outlet: Outlet, window: SendWindow) -> None:
        self.key = key
        self.name = name
        self.sent = 0
        self.epoch = ""
        self._outlet = outlet
        self._window = window
        self._queue: deque[Frame] = deque(maxlen=QUEUED_FRAMES)
        self._must_read = False
        self._active = False
        self._paused = False
        self._work: asyncio.Task[None] | None = None

    def start_at(self, seq: int, epoch: str) -> None:
        self.sent, self.epoch = seq, epoch

    def begin(self, head: Head) -> None:
        """Send everything up to ``head``, then the queued frames, until stopped.

        The caller reads ``head`` after it joins the feed, so no commit in between is lost.
        """
        self._active = True
        self._start(partial(self._send_up_to, head))

    def stop(self) -> None:
        self._active = False
        self._window.remove(self)
        if self._work and self._work is not asyncio.current_task():
            self._work.cancel()

    # Called by the feed

    def push(self, frame: Frame) -> None:
        self._queue.append(frame)
        self._continue()

    def reread(self) -> None:
        # Queued frames may come from a log that a restore has replaced.
        self._queue.clear()
        self._must_read = True
        self._continue()

    # Called by the send window

    def resume(self) -> None:
        self._paused = False
        self._continue()

    def give_up(self, error: TooSlowError) -> None:
        self._paused = False
        self._start(partial(self._raise, error))

    # Methods that run without a task

    def _continue(self) -> None:
        while self._active and not (self._work or self._paused):
            if self._must_read:
                self._must_read = False
                self._start(self._catch_up)
            elif not self._queue:
                return
            elif not self._window.has_room:
                self._paused = True
                self._window.pause(self)
            else:
                self._send_or_catch_up(self._queue.popleft())

    def _send_or_catch_up(self, frame: Frame) -> None:
        if frame.first == self.sent + 1:
            self._send(frame)
        elif frame.last > self.sent:
            self._start(self._catch_up)

    def _send(self, frame: Frame) -> None:
        self._window.add(self.name, frame.last, frame.size)
        try:
            remainder = run_to_first_wait(self._outlet.send_text(frame.text))
        except Exception as error:
            self._start(partial(self._raise, error))
        else:
            if remainder is None:
                self.sent = frame.last
            else:
                self._start(partial(self._finish, remainder, frame.last))

    # Methods that run in a task

    def _start(self, work: _Work) -> None:
        self._work = asyncio.create_task(self._run(work))

    async def _run(self, work: _Work) -> None:
        try:
            # Call it here: a task that is cancelled before it runs must leave no unawaited coroutine.
            await work()
        except Exception as error:
            self._active = False
            await self._outlet.fail(self.key, error)
        finally:
            self._work = None
        self._continue()

    async def _raise(self, error: Exception) -> None:
        raise error

    async def _finish(self, remainder: Remainder, last: int) -> None:
        await remainder
        self.sent = last

    async def _catch_up(self) -> None:
        await self._send_up_to(await in_thread(log_reader.read_head, self.key))

    async def _send_up_to(self, head: Head) -> None:
        if not head.can_resume(self.sent, self.epoch):
            return await self._reset(head)
        while self.sent < head.last:
            await self._window.wait_for_room()
            try:
                page = await in_thread(log_reader.read_page, head, self.sent)
            except PrunedError:
                return await self._reset(head)
            await self._deliver(Frame.of(page, self.name))
        return None

    async def _deliver(self, frame: Frame) -> None:
        self._window.add(self.name, frame.last, frame.size)
        await self._outlet.send_text(frame.text)
        self.sent = frame.last

    async def _reset(self, head: Head) -> None:
        self.start_at(head.last, head.epoch)
        await self._outlet.send_reset(head)
