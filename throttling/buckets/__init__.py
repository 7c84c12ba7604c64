"""Token buckets in Redis: one call decides all buckets of a request, exactly.

The package needs no other module of the app but ``rates``:

store = BucketStore(lambda: redis_client, prefix="exports")
decision = store.take([Bucket("account", rate), Bucket("user:7", rate)])
store.give_back([...])                   # return tokens that were not needed
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
