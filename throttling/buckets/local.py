from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from throttling.buckets.bucket import Bucket, BucketState, Decision


@dataclass(slots=True)
class _Level:
    used: int
    since: int


class LocalBuckets:
    """Buckets of this process alone, with the arithmetic of the Lua script, while Redis is away.

    Holds the ``size`` most recently used buckets.
    """

    def __init__(self, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._levels: OrderedDict[str, _Level] = OrderedDict()
        self._lock = Lock()
        self._size = size
        self._clock = clock

    def take(self, buckets: Sequence[Bucket]) -> Decision:
        with self._lock:
            now = self._now()
            levels = [self._level(bucket, now) for bucket in buckets]
            short = [
                level.used + bucket.cost * bucket.rate.period_ms > bucket.rate.capacity
                for bucket, level in zip(buckets, levels, strict=True)
            ]
            granted = not any(
                lacks and not bucket.shadow for bucket, lacks in zip(buckets, short, strict=True)
            )
            if granted:
                for bucket, level, lacks in zip(buckets, levels, short, strict=True):
                    if not lacks:
                        level.used += bucket.cost * bucket.rate.period_ms
            states = map(_state, buckets, levels, short)
            return Decision(int(granted), tuple(states), _wall_ms())

    def give_back(self, buckets: Sequence[Bucket]) -> Decision:
        with self._lock:
            now = self._now()
            levels = [self._level(bucket, now) for bucket in buckets]
            for bucket, level in zip(buckets, levels, strict=True):
                level.used = max(0, level.used - bucket.cost * bucket.rate.period_ms)
            states = map(_state, buckets, levels, [False] * len(levels))
            return Decision(1, tuple(states), _wall_ms())

    def clear(self) -> None:
        with self._lock:
            self._levels.clear()

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _level(self, bucket: Bucket, now: int) -> _Level:
        level = self._levels.setdefault(bucket.key, _Level(0, now))
        self._levels.move_to_end(bucket.key)
        while len(self._levels) > self._size:
            self._levels.popitem(last=False)
        elapsed = max(0, now - level.since)
        level.used = min(max(0, level.used - elapsed * bucket.rate.count), bucket.rate.capacity)
        level.since = now
        return level


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _state(bucket: Bucket, level: _Level, short: bool) -> BucketState:
    rate = bucket.rate
    missing = level.used + bucket.cost * rate.period_ms - rate.capacity
    return BucketState(
        short,
        (rate.capacity - level.used) // rate.period_ms,
        max(0, -(-missing // rate.count)),
        -(-level.used // rate.count),
    )
