"""Claim, send, settle, until nothing is due. Running it twice, or pausing it, is harmless."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from delivery import conf, outcome_lines
from delivery.limits import breaker, slowdowns, spend, stops
from delivery.limits.breaker import Permit, Tally
from delivery.limits.breaker.policy import policy
from delivery.models import Message, Priority
from delivery.providers import registry
from delivery.providers.base import Account
from delivery.queue import claim
from delivery.queue.turns import Turn, Turns
from delivery.sending.gate import Gate
from delivery.sending.jobs import Job, outbound_text
from delivery.sending.oversight import Oversight
from delivery.sending.screen import screen
from delivery.sending.threads import Threads, of_this_process
from delivery.sending.unsettled import UnsettledResults
from delivery.settle import Result

logger = logging.getLogger("delivery")

_BUDGET_SECONDS = 15.0
_WAIT_SECONDS = 0.05
_SHUTDOWN_SECONDS = 8.0
"""Shorter than the supervisor waits before it kills a cluster."""


@dataclass
class Drain:
    """The sending of one worker. Keeps its position in the turns from one run to the next."""

    threads: Threads
    turns: Turns = field(default_factory=Turns)
    gate: Gate = field(default_factory=Gate)
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], datetime] = timezone.now
    oversight: Oversight = field(default_factory=Oversight)
    _unsettled: UnsettledResults = field(default_factory=UnsettledResults)
    _withdrawn: list[Job] = field(default_factory=list)
    _outcomes: Counter[str] = field(default_factory=Counter)
    """Of the calls whose results were written in this run."""
    _asked_at: datetime = field(default_factory=timezone.now)
    """The time for which the last step asked which turns rest."""

    def run(self, budget: float | None = None) -> None:
        """Send until nothing is due and all results are written, or until the budget is spent.

        After the budget calls may still be in flight: the next run continues with them. Only a
        worker that stops waits for them.
        """
        began = time.monotonic()
        try:
            self._run(began + (_BUDGET_SECONDS if budget is None else budget))
        finally:
            outcome_lines.drained(self._outcomes, time.monotonic() - began)
            self._outcomes.clear()

    def _run(self, until: float) -> None:
        if self.unfinished:
            # Write results before the leases are checked: the database may have failed for a long time.
            self.settle(0)
        while time.monotonic() < until and not self.stopping():
            claimed = self.step()
            if not claimed and not self._expects_more():
                return
            self.settle(0 if self._has_work(claimed) else _WAIT_SECONDS)
        if self.stopping():
            self.finish_in_flight()

    @property
    def unfinished(self) -> bool:
        """Tell whether a call is in flight, or a result is unwritten."""
        return bool(self.threads.in_flight) or bool(self._unsettled) or bool(self._withdrawn)

    def step(self) -> bool:
        """Do everything that can be done now without waiting. Return whether anything was claimed.

        Due texts go before the applying of webhook events, but an inbound text goes before them.
        """
        self.oversight.look(self.clock(), self._follow_orders)
        now = self._asked_at = self.clock()
        # Asked once: each step claims at most as much as the threads have room for.
        turns = self.turns.now(now) if self.threads.room(Priority.REPLY) else []
        if turns:
            self.oversight.hear_texts(now)
        serving = _Accounts(self.gate)
        claimed = False
        for turn in turns:
            claimed |= self._take_turn(turn, serving, now)
        self.oversight.apply_events(self.clock(), hurries=bool(self.threads.in_flight))
        return claimed

    def settle(self, timeout: float) -> None:
        """Write the results that have come back."""
        found = self.threads.results(timeout)
        self._unsettled.add(found)
        pausing = {result.message.provider for result in found if result.outcome.gives_pause}
        if self._withdrawn or pausing:
            self._withdraw(pausing, self.clock())
        for results in self._unsettled.write(self.clock()):
            self._report(results)

    def _has_work(self, claimed: bool) -> bool:
        """Return whether the next step can do something before the next result comes."""
        return self.oversight.is_behind or (claimed and not self.threads.in_flight)

    def _expects_more(self) -> bool:
        # A turn that rested in the last step may have rested enough by now, and the next step serves it.
        rested = self.gate.anyone_rests(self._asked_at)
        return self.unfinished or rested or self.oversight.gathers(self.clock())

    def _take_turn(self, turn: Turn, serving: _Accounts, now: datetime) -> bool:
        """Start some messages of the turn. Return False where it can start none.

        A held or open account does not stop the turns of another account.
        """
        room = self.threads.room(turn.priority)
        if not room or serving.is_closed(turn.provider) or self.gate.rests(turn, now):
            return False
        account = registry.account(turn.provider)
        permit = serving.permit(account, now)
        if permit is None:
            self._withdraw({turn.provider}, now)
            return False
        if permit.probe:
            # A probe is the only call: asked again, the breaker would refuse.
            serving.close(turn.provider)
            if not self._free_for_a_probe(turn, now):
                breaker.record(account, permit, Tally(), now)
                return False
        return self._serve(account, turn, room, permit, now)

    def _free_for_a_probe(self, turn: Turn, now: datetime) -> bool:
        """Withdraw the account's waiting jobs. Return whether a thread is free for the probe; where
        none is, another worker may have one."""
        self._withdraw({turn.provider}, now)
        return self.threads.any_free(turn.priority)

    def _serve(
        self, account: Account, turn: Turn, room: int, permit: Permit, now: datetime
    ) -> bool:
        self.turns.served(turn)
        expected = self.gate.expected(account, turn)
        limit = 1 if permit.probe else max(1, min(room, room if expected is None else expected))
        claimed = claim.claim(turn, limit, now, probe=bool(permit.probe))
        rows = spend.begin(screen(claimed, now, claimed.opted_out), now)
        admitted = self.gate.admit(account, turn, rows, now) if rows else 0
        claim.put_back(rows[admitted:])
        self._start(account, rows[:admitted], permit, now)
        return bool(claimed)

    def _start(
        self, account: Account, rows: Sequence[Message], permit: Permit, now: datetime
    ) -> None:
        if not rows:
            return breaker.record(account, permit, Tally(), now)
        self.threads.submit([Job(row, outbound_text(row), permit) for row in rows])
        return None

    def _withdraw(self, providers: Container[str], now: datetime) -> None:
        """Give back the claimed messages of these accounts that wait for a thread."""
        self._put_back(self.threads.withdraw(providers), now)

    def _put_back(self, jobs: Sequence[Job], now: datetime) -> None:
        # The list keeps the jobs until they are given back: the database may fail.
        self._withdrawn += jobs
        claim.put_back([job.message for job in self._withdrawn])
        withdrawn, self._withdrawn = self._withdrawn, []
        self._give_back_permits(withdrawn, now)

    def _give_back_permits(self, unbegun: Sequence[Job], now: datetime) -> None:
        for provider, permit in {(job.provider, job.permit) for job in unbegun}:
            if permit is not None:
                breaker.record(registry.account(provider), permit, Tally(), now)

    def _report(self, results: Sequence[Result]) -> None:
        """Count calls with written results, and tell the breakers about them."""
        self._outcomes.update(str(result.outcome.kind) for result in results)
        slow = policy().slow_call
        groups: dict[tuple[str, Permit], list[Result]] = {}
        for result in results:
            if result.permit is not None:
                groups.setdefault((result.message.provider, result.permit), []).append(result)
        for (provider, permit), some in groups.items():
            failed = sum(result.outcome.provider_failed for result in some)
            late = sum(result.seconds > slow for result in some)
            tally = Tally(len(some), failed, late)
            breaker.record(registry.account(provider), permit, tally, self.clock())

    def finish_in_flight(self) -> None:
        """Wait for the calls in flight. A call that takes too long is left to its lease."""
        until = time.monotonic() + _SHUTDOWN_SECONDS
        self._withdrawn += self.threads.withdraw_all()
        while self.unfinished and time.monotonic() < until:
            try:
                self.settle(_WAIT_SECONDS)
                self._renew(self.clock())
            except Exception as error:  # the results of calls in flight still come
                logger.warning(
                    "Writing results failed during shutdown; retrying",
                    extra={"action": "shutdown_write_failed", "error": type(error).__name__},
                )
                time.sleep(_WAIT_SECONDS)

    def _follow_orders(self, now: datetime) -> None:
        """Renew the leases of the jobs. Apply slowdowns, and give back the jobs of stopped tenants that
        no thread has begun."""
        self._renew(now)
        self.gate.slow_down(slowdowns.rates(now))
        stopped = stops.stopped(now) if self.threads.in_flight else set()
        if stopped:
            self._put_back(self.threads.withdraw_tenants(stopped), now)

    def _renew(self, now: datetime) -> None:
        lost = claim.renew([job.message for job in self.threads.in_flight.values()], now)
        if lost:
            self._give_back_permits(self.threads.forget(lost), now)


class _Accounts:
    """The permits of one step. Each breaker is asked once per step, and not for each turn."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._permits: dict[str, Permit] = {}
        self._closed: set[str] = set()

    def permit(self, account: Account, now: datetime) -> Permit | None:
        """Return the account's permit; without a permit, close the account for this step."""
        permit = self._permits.get(account.alias) or self._gate.permit(account, now)
        if permit is None:
            self.close(account.alias)
        else:
            self._permits[account.alias] = permit
        return permit

    def close(self, provider: str) -> None:
        self._closed.add(provider)

    def is_closed(self, provider: str) -> bool:
        return provider in self._closed


_drain: Drain | None = None


def drain(stopping: Callable[[], bool] = lambda: False) -> None:
    """Run once with the threads of this process: the task of a worker."""
    global _drain
    threads = of_this_process(conf.threads())
    if _drain is None or _drain.threads is not threads:
        _drain = Drain(threads)
    _drain.stopping = stopping
    _drain.run()


def unfinished() -> bool:
    """Tell whether the last run in this process left calls in flight or results unwritten."""
    return _drain is not None and _drain.unfinished


def finish_in_flight() -> None:
    """Wait for the calls of this process without starting new ones."""
    if _drain is not None:
        _drain.finish_in_flight()
