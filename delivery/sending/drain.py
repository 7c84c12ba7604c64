"""Claim, send, settle, until nothing is due. Running it twice, or not for a while, is harmless."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from delivery import conf, tracking
from delivery.limits import breaker
from delivery.limits.breaker import Permit, Tally
from delivery.limits.breaker.policy import policy
from delivery.models import Message
from delivery.providers.telnyx.request import build
from delivery.queue import claim, rescue
from delivery.queue.turns import Turn, Turns
from delivery.sending.answers import Answers
from delivery.sending.gate import Gate
from delivery.sending.jobs import Job
from delivery.sending.screen import screen
from delivery.sending.threads import Threads, of_this_process
from delivery.settle import Result
from delivery.signals import overseen

logger = logging.getLogger("delivery")

_BUDGET_SECONDS = 15.0
_WAIT_SECONDS = 0.05
_LANDING_SECONDS = 20.0
_GATHER = timedelta(seconds=0.2)
"""In a storm webhook events are applied this far apart, and so in groups: each transaction contends
with the web processes, which store them, for the one write lock of SQLite."""
_OVERSEE_SECONDS = 1.0
"""How often the slow duties come round: leases, expiry, the watchdog."""


@dataclass
class Drain:
    """The sending of one worker. Keeps its place in the turns from one run to the next."""

    threads: Threads
    turns: Turns = field(default_factory=Turns)
    gate: Gate = field(default_factory=Gate)
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], datetime] = timezone.now
    _answers: Answers = field(default_factory=Answers)
    _withdrawn: list[Job] = field(default_factory=list)
    _overseen: datetime | None = None
    _events_applied: datetime | None = None

    def run(self, budget: float | None = None) -> None:
        """Until nothing is due and all that was sent is settled, or the budget is spent.

        Then calls may be in the air still: the next run goes on with them. Only a worker that stops
        waits for them.
        """
        until = time.monotonic() + (_BUDGET_SECONDS if budget is None else budget)
        if self.unfinished:
            # Before their leases are looked at: the database may have been away for longer.
            self.settle(0)
        while time.monotonic() < until and not self.stopping():
            if not self.step() and not self._expects_more():
                return
            self.settle(_WAIT_SECONDS)
        if self.stopping():
            self.land()

    @property
    def unfinished(self) -> bool:
        """Something is in the air, or came back and is not yet written down."""
        return bool(self.threads.in_flight) or bool(self._answers) or bool(self._withdrawn)

    def step(self) -> bool:
        """Everything that can be done now without waiting; False where nothing was claimed."""
        self._oversee()
        claimed = False
        while permit := self._take_turn(self.clock()):
            claimed = True
            if permit.probe:
                # Asked again the breaker would say no, and the probe be taken back unbegun.
                break
        return claimed

    def settle(self, timeout: float) -> None:
        """Write down what has come back."""
        found = self.threads.results(timeout)
        self._answers.add(found)
        if self._withdrawn or any(result.verdict.gives_pause for result in found):
            self._withdraw(self.clock())
        for results in self._answers.write(self.clock()):
            self._report(results)

    def _expects_more(self) -> bool:
        return (
            self.unfinished or self.gate.anyone_rests(self.clock()) or self._gathers(self.clock())
        )

    def _gathers(self, now: datetime) -> bool:
        return self._events_applied is not None and now - self._events_applied < _GATHER

    def _take_turn(self, now: datetime) -> Permit | None:
        """Start some texts of whoever comes next, and say by whose leave; None where nobody can."""
        for turn in self.turns.now(now):
            room = self.threads.room(turn.priority)
            if room and not self.gate.rests(turn, now):
                permit = self.gate.permit(now)
                if permit is None:
                    self._withdraw(now)
                    return None
                if permit.probe and not self._free_for_a_probe(turn, now):
                    breaker.record(permit, Tally(), now)
                    return None
                return permit if self._serve(turn, room, permit, now) else None
        return None

    def _free_for_a_probe(self, turn: Turn, now: datetime) -> bool:
        """Where no thread is, another worker may have one. And nothing else is to go beside it."""
        self._withdraw(now)
        return self.threads.any_free(turn.priority)

    def _serve(self, turn: Turn, room: int, permit: Permit, now: datetime) -> bool:
        self.turns.served(turn)
        expected = self.gate.expected(turn)
        limit = 1 if permit.probe else max(1, min(room, room if expected is None else expected))
        claimed = claim.claim(turn, limit, now, probe=bool(permit.probe))
        rows = screen(claimed, now)
        admitted = self.gate.admit(turn, rows, now) if rows else 0
        claim.put_back(rows[admitted:])
        self._start(rows[:admitted], permit, now)
        return bool(claimed)

    def _start(self, rows: Sequence[Message], permit: Permit, now: datetime) -> None:
        if not rows:
            return breaker.record(permit, Tally(), now)
        claim.start_calls(rows, now)
        self.threads.submit([Job(row, build(row), permit) for row in rows])
        return None

    def _withdraw(self, now: datetime) -> None:
        """Give back what was claimed and not begun: nothing of it was spent."""
        # Kept until they are given back: the database may fail.
        self._withdrawn += self.threads.withdraw()
        claim.put_back([job.message for job in self._withdrawn])
        withdrawn, self._withdrawn = self._withdrawn, []
        self._give_back_permits(withdrawn, now)

    def _give_back_permits(self, unbegun: Sequence[Job], now: datetime) -> None:
        for permit in {job.permit for job in unbegun if job.permit is not None}:
            breaker.record(permit, Tally(), now)

    def _report(self, results: Sequence[Result]) -> None:
        """Tell the breaker."""
        slow = policy().slow_call
        for some in _by(results, lambda result: result.permit):
            permit = some[0].permit
            if permit is not None:
                failed = sum(result.verdict.provider_failed for result in some)
                late = sum(result.seconds > slow for result in some)
                breaker.record(permit, Tally(len(some), failed, late), self.clock())

    def _oversee(self) -> None:
        now = self.clock()
        if not self._gathers(now) and tracking.apply_waiting_events(now):
            self._events_applied = now
        conf.schedule().accept_due(now)
        if self._overseen and now - self._overseen < timedelta(seconds=_OVERSEE_SECONDS):
            return
        self._overseen = now
        self._renew(now)
        rescue.rescue(now)
        rescue.expire(now)
        tracking.reconcile(now)
        overseen.send(Drain, now=now)

    def land(self) -> None:
        """Wait for the calls in the air; what stays out too long is left to its lease."""
        until = time.monotonic() + _LANDING_SECONDS
        self._withdrawn += self.threads.withdraw()
        while self.unfinished and time.monotonic() < until:
            try:
                self.settle(_WAIT_SECONDS)
                self._renew(self.clock())
            except Exception as error:  # what is in the air comes back all the same
                logger.warning(
                    "Landing is held up; it goes on",
                    extra={"action": "landing_failed", "error": type(error).__name__},
                )
                time.sleep(_WAIT_SECONDS)

    def _renew(self, now: datetime) -> None:
        lost = claim.renew([job.message for job in self.threads.in_flight.values()], now)
        if lost:
            self._give_back_permits(self.threads.forget(lost), now)


def _by(results: Sequence[Result], key: Callable[[Result], object]) -> list[list[Result]]:
    found: dict[object, list[Result]] = defaultdict(list)
    for result in results:
        found[key(result)].append(result)
    return list(found.values())


_drain: Drain | None = None


def drain(stopping: Callable[[], bool] = lambda: False) -> None:
    """One run with the threads of this process: what the worker's task does."""
    global _drain
    threads = of_this_process(conf.threads())
    if _drain is None or _drain.threads is not threads:
        _drain = Drain(threads)
    _drain.stopping = stopping
    _drain.run()


def unfinished() -> bool:
    """Whether the last run in this process left something in the air."""
    return _drain is not None and _drain.unfinished


def land() -> None:
    """Wait for the calls of this process, and start no more."""
    if _drain is not None:
        _drain.land()
