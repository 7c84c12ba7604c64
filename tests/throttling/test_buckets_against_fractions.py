"""The Lua script agrees with exact fractions, operation by operation."""

from __future__ import annotations

import random

import pytest

from tests.throttling.exact_buckets import ExactBuckets
from throttling.buckets import Bucket, BucketState, BucketStore, Rate

OPERATIONS_PER_SEED = 10_000
YEAR = 365 * 86_400_000
LIMITS = [
    Rate(100, 60_000, 100),
    Rate(1000, 60_000, 200),
    Rate(5, 900_000, 5),
    Rate(7, 1_000, 3),
    Rate(1, 1_000, 1),
    Rate(99_999, 86_400_000, 99_999),
    Rate(50_000_000, 86_400_000, 50_000_000),
    Rate(3, 7_777, 11),
]


@pytest.mark.parametrize("seed", range(11))
def test_the_script_agrees_with_exact_fractions(store: BucketStore, seed: int) -> None:
    rng = random.Random(seed)
    exact = ExactBuckets()
    now = 1_790_000_000_000 + rng.randrange(10**9)
    rates = [rng.choice(LIMITS) for _ in range(4)]
    for step in range(OPERATIONS_PER_SEED):
        now = _moved(rng, now)
        if rng.random() < 0.002:
            rates[rng.randrange(4)] = rng.choice(LIMITS)
        chosen = rng.sample(range(4), rng.choice([1, 1, 2, 3]))
        buckets = [_bucket(rng, f"{seed}-{i}", rates[i]) for i in chosen]
        got, expected = _both(rng, store, exact, buckets, now)
        assert got == expected, f"operation {step} at {now} on {buckets}"


def _moved(rng: random.Random, now: int) -> int:
    kind = rng.random()
    if kind < 0.6:
        return now + rng.randrange(0, 400)
    if kind < 0.95:
        return now + rng.randrange(0, 60_000)
    if kind < 0.98:
        return now - rng.choice([1, 700, 60_000, 3_600_000])
    return now + rng.choice([3_600_000, 86_400_000, 3 * YEAR, -2 * YEAR])


def _bucket(rng: random.Random, key: str, rate: Rate) -> Bucket:
    cost = rng.choice([1, 1, 1, 0, rate.burst, rng.randint(0, rate.burst)])
    # The longest wait and the shadow belong to the policy, so they depend on the key.
    longest_wait = 3_600_000 if key.endswith("1") else 0
    return Bucket(key, rate, cost, longest_wait, shadow=key.endswith("2"))


Answer = tuple[int, tuple[BucketState, ...]]


def _both(
    rng: random.Random, store: BucketStore, exact: ExactBuckets, buckets: list[Bucket], now: int
) -> tuple[Answer, Answer]:
    kind = rng.random()
    if kind < 0.75:
        decision, expected = store.take(buckets, now=now), exact.take(buckets, now)
    elif kind < 0.86:
        decision, expected = store.peek(buckets, now=now), exact.peek(buckets, now)
    else:
        decision, expected = store.give_back(buckets, now=now), exact.give_back(buckets, now)
    return (decision.granted, decision.states), expected
