"""Growing pauses between attempts: exact delays for one message, doubled pauses for all else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

_MOST_DOUBLINGS = 30
"""Enough for any pause; a larger exponent overflows a float in the end."""


def next_attempt(
    attempts: int,
    finished_at: datetime,
    *,
    delays: Sequence[float],
    jitter: float = 0,
    rng: Callable[[], float] = lambda: 0.0,
) -> datetime | None:
    """Return when to try again after ``attempts`` failed attempts; None: never.

    ``finished_at`` is the end of the last attempt. ``delays`` are the seconds before the 2nd, 3rd, …
    attempt: ``(1, 2, 4)`` makes four attempts, the last one seven seconds after the first. Each
    delay grows by a random share of at most ``jitter``.
    """
    if attempts > len(delays):
        return None
    delay = delays[attempts - 1] * (1 + jitter * rng())
    return finished_at + timedelta(seconds=delay)


def doubled(first: float, times: int, *, longest: float) -> float:
    """Return the pause after ``times`` earlier pauses: ``first``, doubled each time, up to ``longest``."""
    return min(first * 2.0 ** min(times, _MOST_DOUBLINGS), longest)
