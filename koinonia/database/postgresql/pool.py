"""A connection pool that gives out no dead connections, and fails early while the database is away."""

from __future__ import annotations

import logging
import select
import time
from typing import Any

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

from koinonia.database import outage
from koinonia.database.outage import Outage

AWAY_SECONDS = 0.5
"""How long a request waits for a connection while the database is known to be away."""

# The pool warns at each attempt to connect. koinonia.database.outage logs an outage once.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class CheckedPool(ConnectionPool[Connection[Any]]):
    """Checks a connection before each use, without a round trip.

    A server that ends a connection (a restart, a failover, PgBouncer) sends bytes that nobody has read,
    so the socket of an idle connection is readable. A look at the socket costs a system call; the
    ``check_connection`` of the library costs a statement for each request.
    """

    _renewed_at = 0.0

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        if timeout is None:
            timeout = self.timeout
        if outage.log.recent is Outage.AWAY:
            timeout = min(timeout, AWAY_SECONDS)
        until = time.monotonic() + timeout
        while True:
            found = super().getconn(until - time.monotonic())
            if self._is_usable(found):
                return found
            found.close()
            self.putconn(found)  # It is closed: the pool connects again.
            if time.monotonic() >= until:
                raise PoolTimeout(f"No usable connection after {timeout:g} s")

    def renew(self) -> None:
        """Close each connection of now before its next use."""
        self._renewed_at = time.monotonic()

    def _is_usable(self, found: Connection[Any]) -> bool:
        if found.closed or getattr(found, "opened_at", 0.0) < self._renewed_at:
            return False
        poll = select.poll()
        poll.register(found.fileno(), select.POLLIN)
        if not poll.poll(0):
            return True
        try:
            found.execute("")  # It may be a notice. The round trip reads it.
        except OperationalError:
            return False
        return True
