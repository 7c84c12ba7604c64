"""The breaker in one process: for times without Redis, and as the model for tests of the Lua."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from delivery.limits.breaker.permit import Permit, Tally, Transition
from delivery.limits.breaker.policy import Policy
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
            moved = self._move(BreakerState.HALF_OPEN, "the open time has passed")
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
        if not (tally.failed or tally.slow):
            # Never open on a success: expiry of old successes can leave mostly failures in the window.
            return None
        reason = self._reason_to_open(now, policy)
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

    def _reason_to_open(self, now: float, policy: Policy) -> str:
        each = self._sums_since(now - policy.window)
        total = _sum(each)
        if total.calls < policy.minimum_calls:
            return ""
        if _exceeds(each, "failed", policy.failure_rate):
            return f"{total.failed} of {total.calls} calls failed"
        lately = self._sums_since(now - policy.recent)
        recent = _sum(lately)
        if recent.calls >= policy.minimum_calls and _exceeds(
            lately, "failed", policy.recent_failure_rate
        ):
            return f"{recent.failed} of the last {recent.calls} calls failed"
        if _exceeds(each, "slow", policy.slow_rate):
            return f"{total.slow} of {total.calls} calls were slow"
        return ""

    def _sums_since(self, since: float) -> list[Tally]:
        """Return the sums of each worker that called."""
        workers: dict[str, list[Tally]] = defaultdict(list)
        for at, worker, tally in self.window:
            if at > since:
                workers[worker].append(tally)
        return [_sum(tallies) for tallies in workers.values()]

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


def _exceeds(workers: list[Tally], what: Literal["failed", "slow"], rate: float) -> bool:
    """Return whether the overall rate reaches ``rate`` and at least half of the active workers (two
    or more, if there are several) see it."""
    total = _sum(workers)
    seen = sum(getattr(tally, what) >= rate * tally.calls for tally in workers)
    agreed = 2 * seen >= len(workers) and (seen > 1 or len(workers) == 1)
    return bool(getattr(total, what) >= rate * total.calls and agreed)
