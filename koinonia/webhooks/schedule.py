"""The times of the attempts of a failed delivery: 24 hours, with growing pauses."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

TRYING_FOR = timedelta(hours=24)
_PAUSES = (5, 30, 2 * 60, 5 * 60, 15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 8 * 3600)
"""Seconds after the 1st, 2nd, … failure; the last pause repeats."""
_JITTER = 0.1
"""Deliveries that failed together must not come back together (thundering herd)."""


def next_try(
    failures: int, since: datetime, now: datetime, rng: Callable[[], float] = random.random
) -> datetime | None:
    """Return when to try again after ``failures`` failures in a row; None: never.

    The last attempt is at the end of the 24 hours that began at ``since``.
    """
    end = since + TRYING_FOR
    if now >= end:
        return None
    pause = _PAUSES[min(max(failures, 1), len(_PAUSES)) - 1] * (1 + _JITTER * rng())
    return min(now + timedelta(seconds=pause), end)
