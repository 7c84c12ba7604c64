from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta


def next_attempt(
    attempts: int,
    finished_at: datetime,
    *,
    delays: Sequence[float],
    jitter: float = 0,
    rng: Callable[[], float] = lambda: 0.0,
) -> datetime | None:
    """When to try again after ``attempts`` failed attempts, the last of which ended at
    ``finished_at``; None: never.

    ``delays`` are the seconds before the 2nd, 3rd, … attempt: ``(1, 2, 4)`` makes four attempts, the
    last one seven seconds after the first. Each grows by a random share of at most ``jitter``.
    """
    if attempts > len(delays):
        return None
    delay = delays[attempts - 1] * (1 + jitter * rng())
    return finished_at + timedelta(seconds=delay)
