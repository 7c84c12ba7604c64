"""What stands between a due text and the provider: a hold, the breaker, the pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from delivery import conf
from delivery.limits import breaker, holds, pacing
from delivery.limits.breaker import Permit
from delivery.models import BreakerState, Message, Priority
from delivery.queue.turns import Turn

_BULK_RESTS = 0.05
"""Seconds that a broadcast at its limit waits at least, so as not to claim for single texts."""
_UNASKED = Permit(BreakerState.FORCED_CLOSED, allowed=True)


@dataclass
class Gate:
    """The view of one worker: which tenants rest until their buckets have filled a little."""

    _resting: dict[Turn, datetime] = field(default_factory=dict)
    _senders: dict[Any, str] = field(default_factory=dict)

    def permit(self, now: datetime) -> Permit | None:
        """Leave to call the provider; None while the account is held or the breaker is open."""
        if holds.current(now) is not None:
            return None
        if conf.sync():
            return _UNASKED
        permit = breaker.ask(now)
        return permit if permit.allowed else None

    def rests(self, turn: Turn, now: datetime) -> bool:
        return turn in self._still_resting(now)

    def anyone_rests(self, now: datetime) -> bool:
        return bool(self._still_resting(now))

    def expected(self, turn: Turn) -> int | None:
        """About how many parts this tenant may send now; None where nothing is known."""
        sender = self._senders.get(turn.tenant_id)
        return None if sender is None else pacing.available(turn.tenant_id, sender)

    def admit(self, turn: Turn, rows: Sequence[Message], now: datetime) -> int:
        """How many of the claimed ``rows`` may go, in order; the tenant rests where the pace says no.

        At most up to the first from another number: each has a pace of its own.
        """
        sender = rows[0].from_number
        self._senders[turn.tenant_id] = sender
        same = list(takewhile(lambda row: row.from_number == sender, rows))
        grant = pacing.take(turn.tenant_id, sender, [row.parts for row in same])
        if grant.texts < len(same):
            self.rest(turn, grant.wait, now)
        return grant.texts

    def _still_resting(self, now: datetime) -> dict[Turn, datetime]:
        # Also those who never come again: their texts may be cancelled, or sent by another worker.
        if any(until <= now for until in self._resting.values()):
            self._resting = {turn: until for turn, until in self._resting.items() if until > now}
        return self._resting

    def rest(self, turn: Turn, seconds: float, now: datetime) -> None:
        least = _BULK_RESTS if turn.priority == Priority.BULK else 0.0
        self._resting[turn] = now + timedelta(seconds=max(seconds, least))
