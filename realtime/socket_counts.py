"""The limit of sockets per user, across all web processes.

Each process writes one row with its sockets per user every few seconds, and reads all other
rows: no write per socket, and no Redis. A killed process stops counting after
``DEAD_AFTER_SECONDS``. While the database is away the last counts apply (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Protocol

from django.utils import timezone

from realtime import conf
from realtime.authorization import Connection
from realtime.event_loop import run_in_background
from realtime.models import WebProcess
from realtime.protocol import CloseCode
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
DEAD_AFTER_SECONDS = 15
_DELETE_AFTER = timedelta(hours=1)


class Socket(Connection, Protocol):
    """A WebSocket connection."""

    async def close(self, code: int) -> None: ...


class SocketCounts:
    """The counts of all web processes. Only ``exchange`` queries the database."""

    def __init__(self, process: str = "") -> None:
        self.process = process or secrets.token_hex(8)
        self._written: dict[str, int] = {}
        self._written_at: datetime | None = None
        self._others: dict[str, Mapping[str, int]] = {}
        self._read_at = -inf

    def exchange(self, own: Mapping[int, int], now: datetime) -> None:
        """Write the counts of this process and read the counts of all other processes."""
        self._write({str(user_id): count for user_id, count in own.items()}, now)
        alive = WebProcess.objects.filter(seen_at__gt=now - timedelta(seconds=DEAD_AFTER_SECONDS))
        others = alive.exclude(name=self.process)
        self._others = dict(others.values_list("name", "sockets"))
        self._read_at = time.monotonic()

    def is_older_than(self, seconds: float) -> bool:
        return time.monotonic() - self._read_at > seconds

    def elsewhere(self, user_id: int) -> int:
        """Return the number of sockets of the user in all other processes."""
        return sum(sockets.get(str(user_id), 0) for sockets in self._others.values())

    def excess_here(self, own: Mapping[int, int], limit: int) -> Counter[int]:
        """Return how many sockets of each user this process must close."""
        found: Counter[int] = Counter()
        for user_id, count in own.items():
            counts = {name: sockets.get(str(user_id), 0) for name, sockets in self._others.items()}
            found[user_id] = excess(self.process, {**counts, self.process: count}, limit)
        return +found

    def _write(self, sockets: dict[str, int], now: datetime) -> None:
        due = self._written_at is None or now - self._written_at >= timedelta(seconds=RENEW_SECONDS)
        if sockets == self._written and not (due and sockets):
            return
        if sockets:
            WebProcess.objects.update_or_create(
                name=self.process, defaults={"sockets": sockets, "seen_at": now}
            )
        else:
            WebProcess.objects.filter(name=self.process).delete()
        WebProcess.objects.filter(seen_at__lt=now - _DELETE_AFTER).delete()
        self._written, self._written_at = sockets, now


def excess(process: str, counts: Mapping[str, int], limit: int) -> int:
    """Return how many of its sockets ``process`` must close so that ``limit`` remain in all.

    The order of the process names decides, so processes with the same counts agree.
    """
    before = sum(count for other, count in counts.items() if other < process)
    return min(counts[process], max(0, before + counts[process] - limit))


class SocketLimit:
    """Enforces ``SOCKETS_PER_USER``; ``sockets`` are in order of arrival."""

    def __init__(self, sockets: Mapping[Socket, None]) -> None:
        self._sockets = sockets
        self._counts = SocketCounts()
        self._exchanging = asyncio.Lock()

    async def count(self, user_id: int) -> int:
        """Return the number of sockets of the user, here and as last read from the database."""
        if self._counts.is_older_than(2 * conf.count_seconds()):
            # The hub was idle, so the counts of all other processes are stale.
            await self._exchange()
        here = sum(socket.credential.user_id == user_id for socket in self._sockets)
        return here + self._counts.elsewhere(user_id)

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(conf.count_seconds())
                await self._exchange()
                self._close_excess()
        finally:
            # Otherwise all processes would count the sockets of a stopped hub for 15 s.
            await self._write_last_counts()

    async def _write_last_counts(self) -> None:
        try:
            await self._exchange()
        except Exception as error:
            # Swallow it: raising here would replace CancelledError, and run_supervised would
            # restart the task forever.
            extra = {"action": "counts_not_written", "error": type(error).__name__}
            logger.warning("Writing the last socket counts failed", extra=extra)

    async def _exchange(self) -> None:
        async with self._exchanging:
            await in_thread(self._counts.exchange, self._own_counts(), timezone.now())

    def _own_counts(self) -> Counter[int]:
        return Counter(socket.credential.user_id for socket in self._sockets)

    def _close_excess(self) -> None:
        """Close the newest sockets over the limit: two processes can admit a last socket each (a race)."""
        excess_here = self._counts.excess_here(self._own_counts(), conf.sockets_per_user())
        for socket in reversed(tuple(self._sockets)):
            if excess_here[socket.credential.user_id] > 0:
                excess_here[socket.credential.user_id] -= 1
                run_in_background(socket.close(CloseCode.TOO_MANY))
