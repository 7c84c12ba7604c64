"""Claim, send, settle, until nothing is due. Running it twice, or not for a while, is harmless."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from delivery import claim, conf, rescue
from delivery.models import Priority
from delivery.sending.screen import screen
from delivery.sending.threads import Job, Threads, of_this_process
from delivery.settle import Result, settle
from delivery.telnyx.request import build
from delivery.turns import Turn, Turns

_BUDGET_SECONDS = 15.0
_WAIT_SECONDS = 0.05
_SETTLE_AT_ONCE = 25
_LATE_SECONDS = 20.0
_OVERSEE_SECONDS = 1.0
"""How often the slow duties come round: leases, expiry."""


@dataclass
class Drain:
    """One run of one worker."""

    threads: Threads
    turns: Turns = field(default_factory=Turns)
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], datetime] = timezone.now
    _overseen: datetime | None = None

    def run(self, budget: float = _BUDGET_SECONDS) -> None:
        """Until nothing is due and all that was sent is settled, or the budget is spent."""
        until = time.monotonic() + budget
        while time.monotonic() < until and not self.stopping():
            self._oversee()
            claimed = self._claim_all()
            if not claimed and not self.threads.in_flight:
                return
            self._settle()
        self._land()

    def _claim_all(self) -> bool:
        """Fill the free threads, a turn at a time; False where nothing was due."""
        any_claimed = False
        while self._take_turn(self.clock()):
            any_claimed = True
        return any_claimed

    def _take_turn(self, now: datetime) -> bool:
        for turn in self.turns.now(now):
            room = self._room(turn)
            if room and self._start(turn, room, now):
                self.turns.served(turn)
                return True
        return False

    def _room(self, turn: Turn) -> int:
        # A few threads are kept for replies, so that no slow broadcast stands before them.
        kept = 0 if turn.priority == Priority.REPLY else self.threads.size // 8
        return max(0, self.threads.free - kept)

    def _start(self, turn: Turn, room: int, now: datetime) -> bool:
        rows = screen(claim.claim(turn, room, now), now)
        claim.start_calls(rows, now)
        self.threads.submit([Job(row, build(row)) for row in rows])
        return bool(rows)

    def _settle(self) -> None:
        results = self.threads.results(_WAIT_SECONDS)
        for of_tenant in _by_tenant(results):
            settle(of_tenant, self.clock())

    def _oversee(self) -> None:
        now = self.clock()
        if self._overseen and now - self._overseen < timedelta(seconds=_OVERSEE_SECONDS):
            return
        self._overseen = now
        claim.renew([job.message for job in self.threads.in_flight.values()], now)
        rescue.rescue(now)
        rescue.expire(now)

    def _land(self) -> None:
        """Wait for the calls in the air; what stays out too long is left to its lease."""
        until = time.monotonic() + _LATE_SECONDS
        while self.threads.in_flight and time.monotonic() < until:
            self._settle()


def _by_tenant(results: list[Result]) -> list[list[Result]]:
    found: dict[int, list[Result]] = {}
    for result in results:
        found.setdefault(result.message.tenant_id, []).append(result)
    return list(found.values())


_turns = Turns()


def drain(stopping: Callable[[], bool] = lambda: False) -> None:
    """One run with the threads of this process: what the worker's task does."""
    Drain(of_this_process(conf.threads()), _turns, stopping).run()
