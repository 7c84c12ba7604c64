"""A queue of handshakes per client address, so that a flood from one address causes no starvation.

Authenticating a handshake costs a thread and several queries. The queue authenticates a few
handshakes of an address at a time, and the rest wait. An address that exceeds the host's limit of
failures is throttled: the queue then bounds the number of waiting handshakes. A valid credential is
never refused because of its address (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime import conf
from realtime.event_loop import PerLoop
from realtime.protocol import CloseCode, FloodError, RefusedError

_CONCURRENT = 2
"""The queue uses half of the threads that query the database."""
_THROTTLE_SECONDS = 10


class _AddressQueue:
    """The handshakes of one address."""

    def __init__(self) -> None:
        self.waiting = 0
        self.slots = asyncio.Semaphore(_CONCURRENT)
        self.throttle_timer: asyncio.TimerHandle | None = None


class HandshakeQueue:
    """The handshakes of one event loop."""

    def __init__(self) -> None:
        self._addresses: dict[str, _AddressQueue] = {}

    @classmethod
    def current(cls) -> HandshakeQueue:
        """Return the queue of the running event loop."""
        return _queues.current()

    @asynccontextmanager
    async def slot(self, address: str) -> AsyncIterator[None]:
        """Wait for a slot of this address. Raise :class:`RefusedError` if its queue is full."""
        queue = self._addresses.setdefault(address, _AddressQueue())
        if queue.throttle_timer and queue.waiting >= conf.sockets_per_address():
            raise RefusedError(CloseCode.TOO_MANY)
        queue.waiting += 1
        try:
            async with queue.slots:
                yield
        except FloodError:
            self._throttle(address, queue)
            raise
        finally:
            queue.waiting -= 1
            self._remove_if_idle(address, queue)

    def _throttle(self, address: str, queue: _AddressQueue) -> None:
        if queue.throttle_timer:
            queue.throttle_timer.cancel()
        loop = asyncio.get_running_loop()
        queue.throttle_timer = loop.call_later(_THROTTLE_SECONDS, self._unthrottle, address, queue)

    def _unthrottle(self, address: str, queue: _AddressQueue) -> None:
        queue.throttle_timer = None
        self._remove_if_idle(address, queue)

    def _remove_if_idle(self, address: str, queue: _AddressQueue) -> None:
        if not queue.waiting and not queue.throttle_timer:
            self._addresses.pop(address, None)


_queues = PerLoop(HandshakeQueue)
