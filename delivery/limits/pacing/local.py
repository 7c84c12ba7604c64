"""The same buckets in one process, for times without Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from delivery.content.encoding import MAX_PARTS
from delivery.limits.pacing.buckets import Limit

_DEBT = MAX_PARTS - 1


@dataclass
class _Level:
    tokens: float
    at: float
    frozen: float = 0.0


class LocalBuckets:
    """Times are seconds of one monotonic clock, passed in."""

    def __init__(self) -> None:
        self._levels: dict[str, _Level] = {}

    def take(
        self, limits: Sequence[Limit], costs: Sequence[int], now: float, *, share: int = 1
    ) -> tuple[int, float]:
        """Return how many of the texts of ``costs`` parts may go, and the seconds until the next may.

        ``share``: between how many workers the rates are divided.
        """
        levels = [self._level(limit, now, share) for limit in limits]
        frozen = max((level.frozen - now for level in levels), default=0.0)
        granted = 0
        while frozen <= 0 and granted < len(costs) and all(level.tokens >= 1 for level in levels):
            for level in levels:
                level.tokens -= costs[granted]
            granted += 1
        waits = [
            (1 - level.tokens) / (limit.rate / share)
            for level, limit in zip(levels, limits, strict=True)
            if level.tokens < 1
        ]
        return granted, max([frozen, 0.0, *waits])

    def freeze(self, key: str, until: float) -> None:
        level = self._levels.setdefault(key, _Level(0.0, until))
        level.frozen = max(level.frozen, until)

    def _level(self, limit: Limit, now: float, share: int) -> _Level:
        full = max(limit.burst / share, MAX_PARTS) - _DEBT
        level = self._levels.setdefault(limit.key, _Level(full, now))
        level.tokens = min(full, level.tokens + limit.rate / share * max(0.0, now - level.at))
        level.at = now
        return level
