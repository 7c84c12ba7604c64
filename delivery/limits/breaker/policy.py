from __future__ import annotations

from dataclasses import dataclass

from delivery import conf
from delivery.backoff import doubled


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The breaker's thresholds, with the terms of resilience4j. Times in seconds, rates from 0 to 1."""

    window: float = 30.0
    minimum_calls: int = 10
    failure_rate: float = 0.5
    recent: float = 5.0
    """Shorter than the retries of one message: successes before an outage must not hide the outage
    until messages have spent their attempts on it."""
    recent_failure_rate: float = 0.9
    slow_rate: float = 0.8
    slow_call: float = 8.0
    """A longer call counts as slow, also with a good answer."""
    open_time: float = 30.0
    """The first open time; it doubles with each failed probe."""
    longest_open_time: float = 300.0
    probe_lease: float = 20.0
    """A probe without an outcome after this time is lost, and another probe may start."""

    def open_for(self, opens: int) -> float:
        """Return the open time when the breaker opens for the ``opens``-th time in a row."""
        return doubled(self.open_time, opens - 1, longest=self.longest_open_time)


def policy() -> Policy:
    first = conf.breaker_open_seconds()
    return Policy(open_time=first, longest_open_time=10 * first)
