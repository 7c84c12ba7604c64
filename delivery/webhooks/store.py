"""Stores events in groups: events that arrive during a commit share the next transaction.

A commit costs more than a row. Under load each request would wait for the commits of all before it;
in groups it waits for two at most.

Under WSGI the first free request thread writes the events of all. Under ASGI the thread of
``delivery.webhooks.writer`` writes, and the requests wait on the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from delivery import conf
from delivery.webhooks.event_rows import EventRow

MOST_IN_GROUP = 500
"""The most webhooks of one statement."""
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""The most bytes of bodies that wait in memory."""
LONGEST_WAIT_SECONDS = 10.0
"""After this time a webhook counts as not stored."""

Rows = Sequence[EventRow]

CONCERNS_ALL = (OperationalError, InterfaceError, OSError)
"""Errors that each webhook of a group would meet again."""


class NotStoredError(Exception):
    """The event is not stored. The answer is a 5xx, so that the provider repeats it, if it ever does."""

    @property
    def is_outage(self) -> bool:
        """Return whether any event would meet the same: the database is away, or the disk is full."""
        return self.__cause__ is None or isinstance(self.__cause__, CONCERNS_ALL)


class TooManyWaitingError(Exception):
    """Events arrive faster than the database stores them."""


@dataclass(slots=True, eq=False)
class _Arrival:
    rows: Rows
    size: int
    future: asyncio.Future[None] | None = None
    done: bool = False
    error: Exception | None = None


def _nothing() -> None:
    return


class GroupedStore:
    """Writes the rows of all that wait together, and calls ``then`` once they know of it.

    ``most_waiting`` returns the bound of the webhooks that wait.
    """

    def __init__(
        self,
        write: Callable[[Rows], None],
        *,
        then: Callable[[], None] = _nothing,
        most_waiting: Callable[[], int] = conf.webhook_backlog,
    ) -> None:
        self._write = write
        self._then = then
        self._most_waiting = most_waiting
        self._arrivals: list[_Arrival] = []
        self._arriving = threading.Lock()
        self._writing = threading.Lock()
        self._unsettled = 0
        self._unsettled_bytes = 0

    @property
    def waiting(self) -> int:
        """Return the number of webhooks that no thread writes yet."""
        return len(self._arrivals)

    def store(self, rows: Rows, size: int) -> None:
        """Return once ``rows`` of ``size`` bytes are committed; this thread may write for others.

        Raises :class:`NotStoredError` and :class:`TooManyWaitingError`.
        """
        mine = self._add(rows, size)
        if not self._writing.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise _not_stored()
        try:
            while not mine.done:
                self._store(self._take())
        finally:
            self._writing.release()
        if mine.error is not None:
            raise _not_stored() from mine.error

    def enter(self, rows: Rows, size: int) -> asyncio.Future[None]:
        """Return a future of the running loop that ends once another thread has stored ``rows``.

        Its exception is a :class:`NotStoredError`. Raises :class:`TooManyWaitingError`.
        """
        future = asyncio.get_running_loop().create_future()
        self._add(rows, size, future)
        return future

    def write_waiting(self) -> int:
        """Write one group of those that wait, and return its size."""
        with self._writing:
            group = self._take()
            if group:
                self._store(group)
        return len(group)

    def _add(self, rows: Rows, size: int, future: asyncio.Future[None] | None = None) -> _Arrival:
        arrival = _Arrival(rows, size, future)
        with self._arriving:
            if (
                self._unsettled >= self._most_waiting()
                or self._unsettled_bytes + arrival.size > MOST_WAITING_BYTES
            ):
                raise TooManyWaitingError
            self._unsettled += 1
            self._unsettled_bytes += arrival.size
            self._arrivals.append(arrival)
        return arrival

    def _take(self) -> list[_Arrival]:
        with self._arriving:
            group = self._arrivals[:MOST_IN_GROUP]
            del self._arrivals[:MOST_IN_GROUP]
        return group

    def _store(self, group: list[_Arrival]) -> None:
        try:
            self._try(group)
        finally:
            self._settle(group)
        if any(arrival.error is None for arrival in group):
            self._then()

    def _try(self, group: list[_Arrival]) -> None:
        try:
            self._write([row for arrival in group for row in arrival.rows])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, CONCERNS_ALL):
                # Store the webhooks one by one to find the faulty event.
                for arrival in group:
                    self._try([arrival])
                return
            for arrival in group:
                arrival.error = error

    def _settle(self, group: list[_Arrival]) -> None:
        with self._arriving:
            self._unsettled -= len(group)
            self._unsettled_bytes -= sum(arrival.size for arrival in group)
        loops: defaultdict[asyncio.AbstractEventLoop, list[_Arrival]] = defaultdict(list)
        for arrival in group:
            arrival.done = True
            if arrival.future is not None:
                loops[arrival.future.get_loop()].append(arrival)
        for loop, arrivals in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, arrivals)


def _tell(arrivals: Sequence[_Arrival]) -> None:
    for arrival in arrivals:
        future = arrival.future
        if future is None or future.done():  # the request may have ended
            continue
        if arrival.error is None:
            future.set_result(None)
        else:
            error = _not_stored()
            error.__cause__ = arrival.error
            future.set_exception(error)


def _not_stored() -> NotStoredError:
    return NotStoredError("The event could not be stored.")
