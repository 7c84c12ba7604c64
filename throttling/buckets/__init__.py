"""Token buckets in Redis, decided together and exactly; usable without the rest of the app.

store = BucketStore(lambda: redis_client, prefix="pace")
decision = store.take([Bucket("account", rate), Bucket("sender:+1312…", rate)])
grant = store.take_up_to(100, [...])     # as many as all of them have
store.give_back([...])                   # what was not needed
"""

from __future__ import annotations

from throttling.buckets.bucket import (
    Bucket,
    BucketState,
    BucketsUnavailableError,
    CostAboveBurstError,
    Decision,
)
from throttling.buckets.local import LocalBuckets
from throttling.buckets.store import BucketStore
from throttling.rates import InvalidRateError, Rate, parse

__all__ = [
    "Bucket",
    "BucketState",
    "BucketStore",
    "BucketsUnavailableError",
    "CostAboveBurstError",
    "Decision",
    "InvalidRateError",
    "LocalBuckets",
    "Rate",
    "parse",
]
