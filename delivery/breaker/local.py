"""The breaker in one process: what works without Redis, and the model that the Lua is tested by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from delivery.breaker.permit import Permit, Tally, Transition
from delivery.breaker.policy import Policy
from delivery.models import BreakerState


@dataclass
class LocalBreaker:
    """Times are seconds of one clock, passed in."""

    state: BreakerState = BreakerState.CLOSED
    epoch: int = 0
    opens: int = 0
    until: float = 0.0
    probe: str = ""
    probe_until: float = 0.0
    window: list[tuple[float, str, Tally]] = field(default_factory=list)

    def ask(self, token: str, now: float, policy: Policy) -> tuple[Permit, Transition | None]:
        if self.state == BreakerState.CLOSED:
            return Permit(self.state, True, self.epoch), None
        if self.state == BreakerState.OPEN and now < self.until:
            return Permit(self.state, False, self.epoch, wait=self.until - now), None
        if self.state == BreakerState.HALF_OPEN and now < self.probe_until:
            return Permit(self.state, False, self.epoch, wait=self.probe_until - now), None
        moved = None
        if self.state == BreakerState.OPEN:
            moved = self._move(BreakerState.HALF_OPEN, "its open time is over")
        self.probe, self.probe_until = token, now + policy.probe_lease
        return Permit(self.state, True, self.epoch, probe=token), moved

    def record(
        self, permit: Permit, worker: str, tally: Tally, now: float, policy: Policy
    ) -> Transition | None:
        if permit.probe:
            return self._probed(permit, tally, now, policy)
        if self.state != BreakerState.CLOSED or permit.epoch != self.epoch:
            return None
        self.window.append((now, worker, tally))
        self.window = [entry for entry in self.window if entry[0] > now - policy.window]
        reason = self._reason_to_open(policy)
        return self._open(reason, now, policy) if reason else None

    def _probed(
        self, permit: Permit, tally: Tally, now: float, policy: Policy
    ) -> Transition | None:
        if self.state != BreakerState.HALF_OPEN or permit.probe != self.probe:
            return None
        if tally.calls == 0:
            self.probe_until = 0.0
            return None
        if tally.failed or tally.slow:
            return self._open("the probe failed", now, policy)
        self.opens, self.window = 0, []
        return self._move(BreakerState.CLOSED, "the probe succeeded")

    def _reason_to_open(self, policy: Policy) -> str:
        workers: dict[str, list[Tally]] = defaultdict(list)
        for _, worker, tally in self.window:
            workers[worker].append(tally)
        each = [_sum(tallies) for tallies in workers.values()]
        total = _sum(each)
        if total.calls < policy.minimum_calls:
            return ""
        if total.failed >= policy.failure_rate * total.calls and _agreed(
            [tally.failed >= policy.failure_rate * tally.calls for tally in each]
        ):
            return f"{total.failed} of {total.calls} calls failed"
        if total.slow >= policy.slow_rate * total.calls and _agreed(
            [tally.slow >= policy.slow_rate * tally.calls for tally in each]
        ):
            return f"{total.slow} of {total.calls} calls were slow"
        return ""

    def _open(self, reason: str, now: float, policy: Policy) -> Transition:
        self.opens += 1
        self.until = now + policy.open_for(self.opens)
        self.window = []
        return self._move(BreakerState.OPEN, reason)

    def _move(self, after: BreakerState, reason: str) -> Transition:
        moved = Transition(self.state, after, reason)
        self.state = after
        self.epoch += 1
        self.probe, self.probe_until = "", 0.0
        return moved


def _sum(tallies: list[Tally]) -> Tally:
    return Tally(
        sum(tally.calls for tally in tallies),
        sum(tally.failed for tally in tallies),
        sum(tally.slow for tally in tallies),
    )


def _agreed(ill: list[bool]) -> bool:
    """At least half of the workers that called; and where there are several, not one alone."""
    count = sum(ill)
    return 2 * count >= len(ill) and (count > 1 or len(ill) == 1)
