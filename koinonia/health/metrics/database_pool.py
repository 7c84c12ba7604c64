"""Counts how often and how long the threads of this process waited for a database connection."""

from __future__ import annotations

import time
from collections import defaultdict
from threading import Lock

from django.db import connection
from prometheus_client import Counter

from koinonia.health.metrics import instruments

_EVERY_SECONDS = 1.0
_COUNTERS: dict[str, tuple[Counter, float]] = {
    "requests_num": (instruments.pool_requests, 1.0),
    "requests_queued": (instruments.pool_waits, 1.0),
    "requests_wait_ms": (instruments.pool_wait_seconds, 0.001),
    "requests_errors": (instruments.pool_errors, 1.0),
}
_counted: defaultdict[str, int] = defaultdict(int)
_lock = Lock()
_refreshed_at = float("-inf")


def refresh_sometimes() -> None:
    """Refresh if the last time was a second ago: only processes with requests have new figures."""
    if time.monotonic() - _refreshed_at >= _EVERY_SECONDS:
        refresh()


def refresh() -> None:
    """Add the news of the pool to the counters. Without a pool there are none."""
    global _refreshed_at
    _refreshed_at = time.monotonic()
    if connection.vendor != "postgresql":
        return
    pool = connection.pool  # type: ignore[attr-defined]  # of Django's backend for PostgreSQL
    if pool is None:
        return
    found = pool.get_stats()
    with _lock:
        for name, (counter, unit) in _COUNTERS.items():
            now = found.get(name, 0)
            counter.inc(max(0, now - _counted[name]) * unit)
            _counted[name] = now
    instruments.pool_connections.labels("open").set(found.get("pool_size", 0))
    instruments.pool_connections.labels("idle").set(found.get("pool_available", 0))
