"""The duties of a worker beside sending: webhook events, due broadcasts, leases, the watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery import conf, failover, tracking
from delivery.limits import breaker, slowdowns, stops
from delivery.queue import rescue
from delivery.queue.due import is_due_soon
from delivery.signals import overseen

_GATHER = timedelta(seconds=0.2)
"""Under load webhook events are applied this far apart, and so in groups: each transaction competes
with the web processes, which store them, for the one write lock of SQLite."""
_SLICE, _GROUP = 50, 200
"""Events of one transaction while texts are on their way, and while nothing else is to be done. A text that
becomes due meanwhile waits for one slice at most: after each the worker looks at the queue."""
_SOON = timedelta(seconds=0.25)
"""Longer than it takes to apply a group."""
_EVERY = timedelta(seconds=1)
"""The interval of the slow duties: leases, expiry, the watchdog."""
_SCHEDULE_EVERY = timedelta(seconds=0.1)
_PAUSE_AFTER_EXPIRY = 50
"""Times as long as it took: it reads every due message, and the claim ends the old ones anyway."""


@dataclass
class Oversight:
    is_behind: bool = False
    """The last slice was full: more webhook events wait."""
    _looked: datetime | None = None
    _schedule_asked: datetime | None = None
    _events_applied: datetime | None = None
    _next_expiry: datetime | None = None

    def look(self, now: datetime, renew_leases: Callable[[datetime], None]) -> None:
        """Do the duties that are due, except the webhook events."""
        if _is_time(self._schedule_asked, _SCHEDULE_EVERY, now):
            self._schedule_asked = now
            conf.schedule().accept_due(now)
        if not _is_time(self._looked, _EVERY, now):
            return
        self._looked = now
        renew_leases(now)
        rescue.rescue(now)
        self._expire(now)
        breaker.end_expired(now)
        stops.end_expired(now)
        slowdowns.end_expired(now)
        tracking.reconcile(now)
        failover.move_waiting(now)
        overseen.send(Oversight, now=now)

    def gathers(self, now: datetime) -> bool:
        """Tell whether further webhook events are awaited before the next group is applied."""
        return self.is_behind or not _is_time(self._events_applied, _GATHER, now)

    def hear_texts(self, now: datetime) -> None:
        """Apply the inbound texts before a claim: a STOP must not wait behind the texts that it forbids."""
        if tracking.text_waits(now):
            tracking.apply_waiting_events(now, _SLICE)

    def apply_events(self, now: datetime, *, hurries: bool) -> None:
        """Apply webhook events. ``hurries``: calls are in flight, so their results come soon."""
        if not self.is_behind and self.gathers(now):
            return
        most = _SLICE if hurries or is_due_soon(now + _SOON) else _GROUP
        applied = tracking.apply_waiting_events(now, most)
        self.is_behind = applied >= most
        if applied:
            self._events_applied = now

    def _expire(self, now: datetime) -> None:
        if self._next_expiry is not None and now < self._next_expiry:
            return
        began = time.monotonic()
        rescue.expire(now)
        took = timedelta(seconds=time.monotonic() - began)
        self._next_expiry = now + took * _PAUSE_AFTER_EXPIRY


def _is_time(last: datetime | None, pause: timedelta, now: datetime) -> bool:
    return last is None or now - last >= pause
