"""Counters for Prometheus, where prometheus-client is installed; else nothing is counted."""

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


def _counters() -> Callable[[str, str], _Counts]:
    if find_spec("prometheus_client") is None:
        return lambda _policy, _outcome: _Nothing()
    from prometheus_client import Counter

    return Counter(
        "throttling_decisions",
        "Decisions by policy: allowed, refused, shadowed (would have been refused), "
        "failed (Redis was away).",
        ["policy", "outcome"],
    ).labels


_labelled = lru_cache(maxsize=256)(_counters())


def count(policy: str, outcome: str) -> None:
    """Count one decision of a policy."""
    _labelled(policy, outcome).inc()
