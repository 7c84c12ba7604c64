"""The limits between a due message and its provider: hold, breaker and pace of the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from delivery import conf
from delivery.limits import breaker, holds, pacing
from delivery.limits.breaker import Permit
from delivery.limits.slowdowns import Rates
from delivery.models import BreakerState, Message, Priority
from delivery.providers.base import Account
from delivery.queue.turns import Turn

_BULK_RESTS = 0.1
"""Seconds that a broadcast at its limit waits at least, so as not to claim for single messages."""
_UNASKED = Permit(BreakerState.FORCED_CLOSED, allowed=True)


@dataclass
class Gate:
    """The view of one worker: which turns rest until their buckets have refilled a little."""

    _slowed: Rates = field(default_factory=dict)
    _resting: dict[Turn, datetime] = field(default_factory=dict)
    _senders: dict[tuple[str, Any], str] = field(default_factory=dict)

    def permit(self, account: Account, now: datetime) -> Permit | None:
        """Return leave to call the provider; None while the account is held or its breaker open."""
        if holds.current(account, now) is not None:
            return None
        if conf.sync():
            return _UNASKED
        permit = breaker.ask(account, now)
        return permit if permit.allowed else None

    def slow_down(self, slowed: Rates) -> None:
        """Take the slowdowns of now. If they changed, no turn rests longer by the rates of before."""
        if slowed != self._slowed:
            self._slowed = slowed
            self._resting.clear()

    def rests(self, turn: Turn, now: datetime) -> bool:
        return turn in self._still_resting(now)

    def anyone_rests(self, now: datetime) -> bool:
        return bool(self._still_resting(now))

    def expected(self, account: Account, turn: Turn) -> int | None:
        """Return about how many parts this tenant may send now; None if unknown."""
        sender = self._senders.get((turn.provider, turn.tenant_id))
        if sender is None:
            return None
        return pacing.available(account, turn.tenant_id, sender, self._slowed)

    def admit(self, account: Account, turn: Turn, rows: Sequence[Message], now: datetime) -> int:
        """Return how many of the claimed ``rows`` may go, in order.

        When the pace is used up, the turn rests, so that the next claim finds several parts. At most
        the rows up to a change of the sending number may go, because each number has its own pace.
        """
        sender = rows[0].from_number
        self._senders[turn.provider, turn.tenant_id] = sender
        same = list(takewhile(lambda row: row.from_number == sender, rows))
        costs = [row.parts for row in same]
        grant = pacing.take(account, turn.tenant_id, sender, costs, self._slowed)
        if grant.texts < len(same) or grant.wait > 0:
            self.rest(turn, grant.wait, now)
        return grant.texts

    def _still_resting(self, now: datetime) -> dict[Turn, datetime]:
        # Remove turns that never come again: their messages were cancelled, or sent by others.
        if any(until <= now for until in self._resting.values()):
            self._resting = {turn: until for turn, until in self._resting.items() if until > now}
        return self._resting

    def rest(self, turn: Turn, seconds: float, now: datetime) -> None:
        least = _BULK_RESTS if turn.priority == Priority.BULK else 0.0
        self._resting[turn] = now + timedelta(seconds=max(seconds, least))
