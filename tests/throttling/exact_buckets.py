"""A second implementation of the buckets, with exact fractions of a token and without Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from throttling.buckets import Bucket, BucketState, Rate


@dataclass
class Level:
    used: Fraction = Fraction(0)
    """Tokens."""
    at: int = 0
    period: int = 0
    blocked_until: int | None = None
    blocked_for: int = 0


class ExactBuckets:
    def __init__(self) -> None:
        self.levels: dict[str, Level] = {}

    def take(self, buckets: Sequence[Bucket], now: int) -> tuple[int, tuple[BucketState, ...]]:
        levels = self._read(buckets, now)
        short = self._short(buckets, levels, now)
        refused = any(s and not b.shadow for b, s in zip(buckets, short, strict=True))
        for bucket, level, lacks in zip(buckets, levels, short, strict=True):
            if refused and lacks and not bucket.shadow and bucket.longest_wait_ms:
                wait = max(
                    self._wait(bucket, level, now),
                    min(2 * level.blocked_for, bucket.longest_wait_ms),
                )
                level.blocked_until, level.blocked_for = now + wait, wait
                self.levels[bucket.key] = level
            elif not refused and not lacks:
                level.used += bucket.cost
                level.blocked_until, level.blocked_for = None, 0
                self._store(bucket, level, now)
        return int(not refused), self._states(buckets, levels, short, now)

    def peek(self, buckets: Sequence[Bucket], now: int) -> tuple[int, tuple[BucketState, ...]]:
        levels = self._read(buckets, now)
        short = self._short(buckets, levels, now)
        refused = any(s and not b.shadow for b, s in zip(buckets, short, strict=True))
        return int(not refused), self._states(buckets, levels, short, now)

    def give_back(self, buckets: Sequence[Bucket], now: int) -> tuple[int, tuple[BucketState, ...]]:
        levels = self._read(buckets, now)
        short = self._short(buckets, levels, now)
        for bucket, level in zip(buckets, levels, strict=True):
            level.used = max(Fraction(0), level.used - bucket.cost)
            self._store(bucket, level, now)
        return 1, self._states(buckets, levels, short, now)

    def _store(self, bucket: Bucket, level: Level, now: int) -> None:
        # A full bucket stores nothing.
        blocked = self._blocked(level, now)
        level.blocked_until = now + blocked if blocked else None
        level.blocked_for = level.blocked_for if blocked else 0
        if level.used == 0 and not blocked:
            self.levels.pop(bucket.key, None)
        else:
            self.levels[bucket.key] = level

    def _read(self, buckets: Sequence[Bucket], now: int) -> list[Level]:
        return [self._level(bucket.key, bucket.rate, now) for bucket in buckets]

    def _level(self, key: str, rate: Rate, now: int) -> Level:
        """Return a copy as of ``now``; ``at`` lies ahead if the clock was set back."""
        stored = self.levels.get(key) or Level(at=now, period=rate.period_ms)
        used = stored.used
        if stored.period != rate.period_ms:
            used = Fraction(ceil(used))
        used = min(used, Fraction(rate.burst))
        at = stored.at
        if at > now:
            if at - now > ceil(Fraction(rate.capacity, rate.count)):
                at = now
        else:
            used = max(Fraction(0), used - Fraction((now - at) * rate.count, rate.period_ms))
            at = now
        return Level(used, at, rate.period_ms, stored.blocked_until, stored.blocked_for)

    def _blocked(self, level: Level, now: int) -> int:
        if level.blocked_until is None:
            return 0
        return max(0, min(level.blocked_until - now, level.blocked_for))

    def _refilled(self, tokens: Fraction, bucket: Bucket, level: Level, now: int) -> int:
        if tokens <= 0:
            return 0
        return level.at - now + ceil(tokens * bucket.rate.period_ms / bucket.rate.count)

    def _wait(self, bucket: Bucket, level: Level, now: int) -> int:
        missing = level.used + bucket.cost - bucket.rate.burst
        return max(self._refilled(missing, bucket, level, now), self._blocked(level, now))

    def _left(self, bucket: Bucket, level: Level, now: int) -> int:
        return 0 if self._blocked(level, now) else floor(bucket.rate.burst - level.used)

    def _short(self, buckets: Sequence[Bucket], levels: Sequence[Level], now: int) -> list[bool]:
        return [self._wait(b, level, now) > 0 for b, level in zip(buckets, levels, strict=True)]

    def _states(
        self, buckets: Sequence[Bucket], levels: Sequence[Level], short: Sequence[bool], now: int
    ) -> tuple[BucketState, ...]:
        return tuple(
            BucketState(
                lacks,
                self._left(bucket, level, now),
                self._wait(bucket, level, now),
                max(self._refilled(level.used, bucket, level, now), self._blocked(level, now)),
            )
            for bucket, level, lacks in zip(buckets, levels, short, strict=True)
        )
