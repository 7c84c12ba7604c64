"""Counters for Prometheus; they count nothing if prometheus-client is not installed.

A decision counts once per policy. A call that Redis did not answer counts once, so that a single slow
answer is visible here, even without an outage.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Protocol


class _Counts(Protocol):
    def inc(self) -> None: ...


class _NoCounter:
    def inc(self) -> None:
        """Do nothing."""


def _counter(name: str, text: str, *labels: str) -> Callable[..., _Counts]:
    if find_spec("prometheus_client") is None:
        return lambda *_labels: _NoCounter()
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
    "Calls that Redis did not answer in time: take, give, login_guard.",
    "call",
)


def count(policy: str, outcome: str) -> None:
    _decisions(policy, outcome).inc()


def count_unanswered(call: str) -> None:
    _unanswered(call).inc()
