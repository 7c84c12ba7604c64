"""The duties of a worker beside sending: webhook events, due broadcasts, leases, the watchdog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery import conf, failover, tracking
from delivery.queue import rescue
from delivery.signals import overseen

_GATHER = timedelta(seconds=0.2)
"""Under load webhook events are applied this far apart, and so in groups: each transaction competes
with the web processes, which store them, for the one write lock of SQLite."""
_EVERY = timedelta(seconds=1)
"""The interval of the slow duties: leases, expiry, the watchdog."""


@dataclass
class Oversight:
    _looked: datetime | None = None
    _events_applied: datetime | None = None

    def look(self, now: datetime, renew_leases: Callable[[datetime], None]) -> None:
        """Do the duties that are due."""
        if not self.gathers(now) and tracking.apply_waiting_events(now):
            self._events_applied = now
        conf.schedule().accept_due(now)
        if self._looked and now - self._looked < _EVERY:
            return
        self._looked = now
        renew_leases(now)
        rescue.rescue(now)
        rescue.expire(now)
        tracking.reconcile(now)
        failover.move_waiting(now)
        overseen.send(Oversight, now=now)

    def gathers(self, now: datetime) -> bool:
        """Tell whether further webhook events are awaited before the next group is applied."""
        return self._events_applied is not None and now - self._events_applied < _GATHER
