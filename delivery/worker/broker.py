"""The broker that django-q2 is given: it turns "something is due" into one task, ``drain``.

There is no queue behind it: the rows are the queue. So nothing that django-q2 drops is lost, and a
task too many finds nothing to do.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.brokers import Broker
from django_q.signing import SignedPackage

from delivery.queue import due, hints
from delivery.redis_client import RedisUnavailableError
from delivery.worker import unfinished

logger = logging.getLogger("delivery")

T = TypeVar("T")

_POLL_SECONDS = 0.1
_AHEAD = timedelta(seconds=0.25)
"""Longer than any poll lasts: Redis ends a wait when it next looks, ten times a second (``hz``)."""
_NAP_SECONDS = 0.01
_DATABASE_AWAY_SECONDS = 0.5
_REST_SECONDS = 10.0
"""At least so often a worker runs, due or not: for the watchdog."""
_TASK = "delivery.worker.tasks.drain"


class HintBroker(Broker):  # type: ignore[misc]  # django-q2 is untyped
    """Waits for a hint, at most a tenth of a second, else asks the database. Never raises.

    Where a row is about to come due it wakes at that moment: a retry is to be in time. And at once
    where the worker has calls in the air: what comes of them is to be written.
    """

    _rested_until = 0.0

    def dequeue(self) -> list[tuple[None, str]]:
        if unfinished.is_told():
            return [(None, _task())]
        coming = _asked(_next_due, otherwise=None)
        awake = self._hinted() if coming is None else self._hinted_or_due(coming)
        if awake or self._anything_due() or time.monotonic() > self._rested_until:
            self._rested_until = time.monotonic() + _REST_SECONDS
            return [(None, _task())]
        return []

    def enqueue(self, task: str) -> None:
        """Nothing but ``drain`` runs here."""

    def ping(self) -> bool:
        """True even without Redis: the cluster must start, for the database has the work."""
        return True

    def info(self) -> str:
        return "Database rows, hinted through Redis"

    @staticmethod
    def get_cache() -> None:
        """None: statistics in a cache that is away would block the guard of the cluster."""

    def _hinted(self) -> bool:
        try:
            return hints.wait(_POLL_SECONDS)
        except RedisUnavailableError:
            time.sleep(_POLL_SECONDS)
            return False

    def _hinted_or_due(self, coming: datetime) -> bool:
        # By a clock that nobody sets: the time of day may be put back meanwhile.
        until = time.monotonic() + min(coming - timezone.now(), _AHEAD).total_seconds()
        while (left := until - time.monotonic()) > 0 and not hints.take():
            time.sleep(min(left, _NAP_SECONDS))
        return True

    def _anything_due(self) -> bool:
        return _asked(due.anything_due, otherwise=False)


def _next_due(now: datetime) -> datetime | None:
    return due.next_due(now, now + _AHEAD)


def _asked(question: Callable[[datetime], T], *, otherwise: T) -> T:
    """The answer of the database, or ``otherwise`` where it cannot be asked."""
    try:
        return question(timezone.now())
    except DatabaseError as error:
        logger.warning(
            "The database cannot be asked",
            extra={"action": "database_away", "error": type(error).__name__},
        )
        connection.close()
        time.sleep(_DATABASE_AWAY_SECONDS)
        return otherwise


def _task() -> str:
    task: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "name": "drain",
        "func": _TASK,
        "args": (),
        "kwargs": {},
        "started": timezone.now(),
        "save": False,
    }
    return str(SignedPackage.dumps(task))
