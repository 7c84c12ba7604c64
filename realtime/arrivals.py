"""Handshakes that are not judged yet, by client address: nobody waits behind somebody else's flood.

Judging one costs a thread and queries. Of an address a few are judged at a time and the others wait
their turn; only where its failures have used up the host's limit is there a bound to how many may
wait. A good credential is never refused for the failures of its address (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from realtime import conf
from realtime.closing import CloseCode, FloodError, RefusedError

_AT_ONCE = 2
"""Half of the threads that the database is asked from."""
_SUSPECT_SECONDS = 10


class _Door:
    """The handshakes of one address."""

    def __init__(self) -> None:
        self.waiting = 0
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self.suspect: asyncio.TimerHandle | None = None


class Arrivals:
    """The handshakes of one event loop."""

    def __init__(self) -> None:
        self._doors: dict[str, _Door] = {}

    @classmethod
    def here(cls) -> Arrivals:
        return _arrivals.setdefault(asyncio.get_running_loop(), cls())

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until a handshake of this address may be judged. Raises :class:`RefusedError`."""
        door = self._doors.setdefault(address, _Door())
        if door.suspect and door.waiting >= conf.sockets_per_address():
            raise RefusedError(CloseCode.TOO_MANY)
        door.waiting += 1
        try:
            async with door.turns:
                yield
        except FloodError:
            self._suspect(address, door)
            raise
        finally:
            door.waiting -= 1
            self._forget(address, door)

    def _suspect(self, address: str, door: _Door) -> None:
        if door.suspect:
            door.suspect.cancel()
        loop = asyncio.get_running_loop()
        door.suspect = loop.call_later(_SUSPECT_SECONDS, self._acquit, address, door)

    def _acquit(self, address: str, door: _Door) -> None:
        door.suspect = None
        self._forget(address, door)

    def _forget(self, address: str, door: _Door) -> None:
        if not door.waiting and not door.suspect:
            self._doors.pop(address, None)


_arrivals: WeakKeyDictionary[asyncio.AbstractEventLoop, Arrivals] = WeakKeyDictionary()
