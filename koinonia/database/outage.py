"""Which errors mean that the database is away, and one line in the log for each outage.

An outage fails every request. A trace for each of them would bury the line that matters, so the log has
a line when the outage begins, one a minute while it lasts, and one when it ends, with the number of
failures between them (docs/decisions/0064).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
"""Clients return after this time. A failover takes a few seconds to half a minute."""
REPORT_SECONDS = 60.0
_RECENT_SECONDS = 10.0


class Outage(StrEnum):
    """A state of the database in which it answers nobody or takes no writes."""

    AWAY = "cannot be reached"
    FULL = "has no free disk space"
    READ_ONLY = "takes no writes; it is a standby"
    BUSY = "is too busy"


_STATES = {
    "25006": Outage.READ_ONLY,  # read_only_sql_transaction
    "53100": Outage.FULL,  # disk_full
    "53200": Outage.BUSY,  # out_of_memory
    "53300": Outage.AWAY,  # too_many_connections
    "55P03": Outage.BUSY,  # lock_not_available
    "57014": Outage.BUSY,  # query_canceled, by the statement timeout
    "57P01": Outage.AWAY,  # admin_shutdown
    "57P02": Outage.AWAY,  # crash_shutdown
    "57P03": Outage.AWAY,  # cannot_connect_now
    "57P05": Outage.AWAY,  # idle_session_timeout
    "25P03": Outage.AWAY,  # idle_in_transaction_session_timeout
}
_SQLITE = {
    sqlite3.SQLITE_BUSY: Outage.BUSY,
    sqlite3.SQLITE_CANTOPEN: Outage.AWAY,
    sqlite3.SQLITE_FULL: Outage.FULL,
    sqlite3.SQLITE_IOERR: Outage.AWAY,
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
}
_FIRST_BYTE = 0xFF
"""SQLite's extended codes have the basic code in their lowest byte."""


def outage_of(error: BaseException | None) -> Outage | None:
    """Return the outage behind an error of Django's database layer, or None for any other error."""
    cause = getattr(error, "__cause__", None)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & _FIRST_BYTE)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        # Class 08: connection exceptions.
        return Outage.AWAY if state.startswith("08") else _STATES.get(state)
    if isinstance(error, OperationalError) and _is_of_psycopg(cause):
        return Outage.AWAY  # libpq and the pool give no state: no server has answered.
    if isinstance(error, InterfaceError) and "connection" in str(error):
        return Outage.AWAY
    return None


def _is_of_psycopg(cause: object) -> bool:
    return type(cause).__module__.partition(".")[0] in ("psycopg", "psycopg_pool")


@dataclass
class _Running:
    outage: Outage
    since: float
    reported: float
    last: float
    failures: int = 1


class OutageLog:
    """The outage that this process sees, if any; ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._running: _Running | None = None

    @property
    def recent(self) -> Outage | None:
        """Return the outage of a failure in the last ten seconds, or None."""
        running = self._running
        if running is None or self._clock() - running.last > _RECENT_SECONDS:
            return None
        return running.outage

    def note(self, outage: Outage, error: BaseException) -> None:
        """Count a failure, and log the first of an outage."""
        now = self._clock()
        with self._lock:
            running = self._running
            if running is None:
                self._running = _Running(outage, now, now, now)
                text = f"The database {outage}: requests are answered with 503"
                extra = {"action": "database_away", "outage": outage.name.lower()}
                logger.error("%s (%s)", text, error, extra=extra)
                return
            running.failures, running.last = running.failures + 1, now
            if now - running.reported >= REPORT_SECONDS:
                running.reported = now
                self._report("The outage of the database goes on", running, "database_still_away")

    def connected(self, **_: Any) -> None:
        """Receive ``connection_created``: the database answers, and an outage of it is over.

        A full disk and a standby accept connections. Those outages end when no write has failed for
        ten seconds.
        """
        running = self._running
        if running is None:
            return
        if running.outage is not Outage.AWAY and self._clock() - running.last <= _RECENT_SECONDS:
            return
        with self._lock:
            if self._running is running:
                self._running = None
                self._report("The outage of the database is over", running, "database_back")

    def _report(self, text: str, running: _Running, action: str) -> None:
        seconds = round(self._clock() - running.since, 1)
        logger.warning(
            "%s: %s failures in %s s", text, running.failures, seconds,
            extra={"action": action, "failures": running.failures, "seconds": seconds},
        )  # fmt: skip


log = OutageLog()
"""The outages of this process."""


def note(error: BaseException) -> Outage | None:
    """Count ``error`` if it means an outage, end a connection to a standby, and return the outage."""
    outage = outage_of(error)
    if outage is not None:
        log.note(outage, error)
        if outage is Outage.READ_ONLY:
            _leave_standby()
    return outage


def _leave_standby() -> None:
    """Let the next use of the database connect again, to find the new primary after a failover."""
    renew = getattr(connection, "renew_connections", None)
    if renew is not None and not connection.in_atomic_block:
        renew()
