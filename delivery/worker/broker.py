"""The broker for django-q2: it turns "something is due" into one task, ``drain``.

It has no queue: the rows in the database are the queue. So no message is lost if django-q2 drops a
task, and a superfluous task finds no work.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.brokers import Broker
from django_q.signing import SignedPackage

from delivery.outage import Outage
from delivery.queue import due, hints
from delivery.redis_client import RedisUnavailableError
from delivery.worker import drain_task

T = TypeVar("T")

_POLL_SECONDS = 0.1
_AHEAD = timedelta(seconds=0.25)
"""Longer than any poll: Redis ends a blocking wait only at its next tick, ten times a second (``hz``)."""
_NAP_SECONDS = 0.01
_DATABASE_PAUSE_SECONDS = 0.5
_IDLE_SECONDS = 10.0
"""The longest time between two drains, whether or not a message is due: the watchdog runs in them."""


class HintBroker(Broker):  # type: ignore[misc]  # django-q2 is untyped
    """Waits for a hint, at most a tenth of a second, then asks the database. It never raises.

    If a message is about to become due, the broker wakes at that moment, so that retries are on
    time. If the worker has requests in flight, it wakes at once, so that their results are written.
    """

    _idle_until = 0.0

    def dequeue(self) -> list[tuple[None, str]]:
        if drain_task.is_in_flight():
            return [(None, _task())]
        coming = _query(_next_due, default=None)
        awake = self._hinted() if coming is None else self._hinted_or_due(coming)
        if awake or self._anything_due() or time.monotonic() > self._idle_until:
            self._idle_until = time.monotonic() + _IDLE_SECONDS
            return [(None, _task())]
        return []

    def enqueue(self, task: str) -> None:
        """Ignore ``task``: this cluster runs ``drain`` alone."""

    def ping(self) -> bool:
        """Return True even without Redis: the cluster must start, because the work is in the database."""
        return True

    def info(self) -> str:
        return "Database rows, hinted through Redis"

    @staticmethod
    def get_cache() -> None:
        """Return None: statistics in an unreachable cache would block the cluster's sentinel."""

    def _hinted(self) -> bool:
        try:
            return hints.wait(_POLL_SECONDS)
        except RedisUnavailableError:
            time.sleep(_POLL_SECONDS)
            return False

    def _hinted_or_due(self, coming: datetime) -> bool:
        # Use the monotonic clock: the time of day may be set back during the wait.
        until = time.monotonic() + min(coming - timezone.now(), _AHEAD).total_seconds()
        while (left := until - time.monotonic()) > 0 and not hints.take():
            time.sleep(min(left, _NAP_SECONDS))
        return True

    def _anything_due(self) -> bool:
        return _query(due.anything_due, default=False)


_outage = Outage()


def _next_due(now: datetime) -> datetime | None:
    return due.next_due(now, now + _AHEAD)


def _query(question: Callable[[datetime], T], *, default: T) -> T:
    """Return the database's answer, or ``default`` while the database is unreachable."""
    try:
        answer = question(timezone.now())
    except DatabaseError as error:
        _outage.failed(error, time.monotonic())
        connection.close()
        time.sleep(_DATABASE_PAUSE_SECONDS)
        return default
    _outage.ended(time.monotonic())
    return answer


def _task() -> str:
    task: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "name": "drain",
        "func": drain_task.TASK,
        "args": (),
        "kwargs": {},
        "started": timezone.now(),
        "save": False,
    }
    return str(SignedPackage.dumps(task))
