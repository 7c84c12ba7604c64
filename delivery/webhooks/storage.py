"""Where events go: into the database, or into the spool while the database is away.

The spool is optional (``DELIVERY["WEBHOOK_SPOOL"]``). Without it an event that cannot be stored is
answered with 503, and some providers repeat it a few times.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache

from django.db import InterfaceError, OperationalError

from delivery import conf
from delivery.outage import Outage
from delivery.queue import hints
from delivery.webhooks import event_rows
from delivery.webhooks.spool import Spool, Waiting
from delivery.webhooks.store import GroupedStore, Rows

logger = logging.getLogger("delivery")

HINT_SECONDS = 0.05
"""One hint wakes a worker for all events of this time; the worker's own poll finds later events."""
_TRIES = 3
"""A restart of the server ends all connections of a pool, and each looks usable until its first use."""


class Storage:
    """The database and the spool behind it."""

    def __init__(self) -> None:
        self.is_away = False
        """The database failed, and has not answered since. True only with a spool."""
        self._hinted_at = float("-inf")

    @property
    def spool(self) -> Spool | None:
        configured = conf.webhook_spool()
        return None if configured is None else _spool(*configured)

    def write(self, rows: Rows) -> None:
        """Commit ``rows``, or spool them while the database is away."""
        spool = self.spool
        if spool is not None and self.is_away:
            spool.append(rows)
            return
        try:
            _insert(rows)
            outage.ended(time.monotonic())
        except (OperationalError, InterfaceError):
            if spool is None:
                raise
            self._note_away()
            spool.append(rows)

    def hint(self) -> None:
        """Wake a worker, if none was woken a moment ago."""
        now = time.monotonic()
        if now - self._hinted_at >= HINT_SECONDS and not self.is_away:
            self._hinted_at = now
            hints.push()

    def replay(self, between: Callable[[], object]) -> None:
        """Store the events in the spool, if the database answers. Call ``between`` after each part."""
        spool = self.spool
        if spool is None or not (self.is_away or spool.has_files()):
            return
        try:
            event_rows.reach_database()
            self.is_away = False
            if spool.replay(_insert, between):
                self.hint()
        except (OperationalError, InterfaceError):
            event_rows.drop_broken_connection()
            self._note_away()

    def _note_away(self) -> None:
        if not self.is_away:
            self.is_away = True
            logger.error(
                "The database is away: webhooks are spooled", extra={"action": "webhook_spooling"}
            )


def spooled() -> Waiting | None:
    """Return how much the spool holds, for all processes of its directory; None without a spool."""
    configured = conf.webhook_spool()
    return None if configured is None else _spool(*configured).waiting()


@lru_cache(maxsize=8)
def _spool(directory: str, most_bytes: int) -> Spool:
    return Spool(directory, most_bytes)


def _insert(rows: Rows) -> None:
    for number in range(1, _TRIES + 1):
        try:
            event_rows.insert(rows)
        except (OperationalError, InterfaceError):
            if number == _TRIES or not event_rows.drop_broken_connection():
                raise
        else:
            return


outage = Outage("webhooks are answered with 503")
"""The outage that the webhooks of this process meet, if any."""
storage = Storage()
events = GroupedStore(storage.write, then=storage.hint)
"""The group of this process."""
