"""Counters for Prometheus, where prometheus-client is installed; else nothing is counted.

A decision counts once for each of its policies, a call that Redis did not answer once: so one slow
answer is seen here though it is no outage.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Protocol


class _Counts(Protocol):
    def inc(self) -> None: ...


class _Nothing:
    def inc(self) -> None:
        """Count nothing."""


def _counter(name: str, text: str, *labels: str) -> Callable[..., _Counts]:
    if find_spec("prometheus_client") is None:
        return lambda *_labels: _Nothing()
    from prometheus_client import Counter

    return lru_cache(maxsize=256)(Counter(name, text, labels).labels)


_decisions = _counter(
    "throttling_decisions",
    "Decisions by policy: allowed, refused, shadowed (would have been refused), "
    "failed (Redis was away).",
    "policy",
    "outcome",
)
_unanswered = _counter(
    "throttling_redis_failures",
    "Calls that Redis did not answer in time, by what was wanted: take, give, login_guard.",
    "call",
)


def count(policy: str, outcome: str) -> None:
    """Count one decision of a policy."""
    _decisions(policy, outcome).inc()


def count_unanswered(call: str) -> None:
    """Count one call that Redis did not answer."""
    _unanswered(call).inc()
