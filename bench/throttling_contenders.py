"""The contenders: each limits a key to about 100 hits per hour, on the same Valkey over TCP.

A contender is a function that returns a function ``(key) -> allowed?``. A contender whose library is not
installed is skipped; ``pip install -r bench/requirements-throttling.txt`` installs the libraries.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings

Hit = Callable[[str], bool]

LIMIT, PERIOD = 100, 3600
URL = os.environ.get("BENCH_REDIS_URL", "")


def configure(url: str) -> None:
    """Set Django up without the project: no accounts, SQLite in memory."""
    import django

    global URL  # all contenders read the address of the server here
    URL = os.environ["BENCH_REDIS_URL"] = url
    cache = {"BACKEND": "django_redis.cache.RedisCache"}
    settings.configure(
        SECRET_KEY="only-for-the-bench",  # noqa: S106  # no code signs with this key
        USE_TZ=True,
        ROOT_URLCONF="",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "throttling",
        ],
        CACHES={
            "default": {**cache, "LOCATION": f"{url}/1"},
            "throttling": {**cache, "LOCATION": f"{url}/2"},
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        RATELIMIT_REDIS={"url": f"{url}/3"},
        RATELIMIT_TRUSTED_PROXIES=[],
        REST_FRAMEWORK={"DEFAULT_THROTTLE_RATES": {"user": f"{LIMIT}/hour"}},
    )  # fmt: skip
    django.setup()


def raw(buckets: int = 1) -> Hit:
    """Call EVALSHA with our script and prepared arguments: the upper bound for every library."""
    from throttling.buckets.store import DIGEST, SCRIPT

    client = redis.Redis.from_url(f"{URL}/2")
    client.script_load(SCRIPT)
    tail = [b"take", b""] + [LIMIT, PERIOD * 1000, LIMIT, 1, 0, 0] * buckets

    def hit(key: str) -> bool:
        keys = [f"raw:{buckets}:{number}:{key}" for number in range(buckets)]
        reply: Any = client.execute_command(  # type: ignore[no-untyped-call]  # redis-py has no types here
            "EVALSHA", DIGEST, buckets + 2, *keys, "raw!version", "raw!refused", *tail
        )
        return bool(reply[2])

    return hit


def ours(buckets: int = 1) -> Hit:
    from throttling import shared_buckets
    from throttling.buckets import Bucket, Rate

    rate, store = Rate(LIMIT, PERIOD * 1000, LIMIT), shared_buckets.store()

    def hit(key: str) -> bool:
        asked = [Bucket(f"{buckets}:{number}:{key}", rate) for number in range(buckets)]
        return store.take(asked).allowed

    return hit


def drf() -> Hit:
    from rest_framework.throttling import SimpleRateThrottle

    class Throttle(SimpleRateThrottle):
        scope = "user"

        def get_cache_key(self, request: Any, view: Any) -> str:
            return f"drf:{request}"

    return lambda key: Throttle().allow_request(key, None)  # type: ignore[arg-type]  # the throttle reads only the primary key


def django_ratelimit() -> Hit:
    from django.test import RequestFactory
    from django_ratelimit.core import is_ratelimited

    request = RequestFactory().get("/")

    def hit(key: str) -> bool:
        return not is_ratelimited(
            request, "bench", key=lambda _group, _request: key, rate=f"{LIMIT}/h", increment=True
        )

    return hit


def throttled_py() -> Hit:
    from throttled import RedisStore, Throttled, rate_limiter  # type: ignore[import-not-found]  # optional

    store = RedisStore(server=f"{URL}/4")
    quota = rate_limiter.per_hour(LIMIT, burst=LIMIT)
    limiter = Throttled(using="token_bucket", quota=quota, store=store)
    return lambda key: not limiter.limit(key).limited


def limits_fixed_window() -> Hit:
    return _limits("FixedWindowRateLimiter", 5)


def limits_moving_window() -> Hit:
    return _limits("MovingWindowRateLimiter", 6)


def _limits(strategy: str, database: int) -> Hit:
    from limits import RateLimitItemPerHour, storage, strategies  # type: ignore[import-not-found]  # optional

    limiter = getattr(strategies, strategy)(storage.storage_from_string(f"{URL}/{database}"))
    item = RateLimitItemPerHour(LIMIT)
    return lambda key: bool(limiter.hit(item, key))


def smart_ratelimit() -> Hit:
    from django_smart_ratelimit.algorithms import TokenBucketAlgorithm  # type: ignore[import-not-found]  # optional
    from django_smart_ratelimit.backends import get_backend  # type: ignore[import-not-found]  # optional

    algorithm, backend = TokenBucketAlgorithm(), get_backend("redis")
    return lambda key: bool(algorithm.is_allowed(backend, key, LIMIT, PERIOD)[0])


CONTENDERS: dict[str, Callable[[], Hit]] = {
    "raw EVALSHA of our script": raw,
    "ours, one bucket": ours,
    "raw EVALSHA, three buckets": lambda: raw(3),
    "ours, three buckets": lambda: ours(3),
    "DRF SimpleRateThrottle": drf,
    "django-ratelimit": django_ratelimit,
    "throttled-py token bucket": throttled_py,
    "django-smart-ratelimit token bucket": smart_ratelimit,
    "limits fixed window": limits_fixed_window,
    "limits moving window": limits_moving_window,
}


def installed() -> dict[str, Hit]:
    found: dict[str, Hit] = {}
    for name, contender in CONTENDERS.items():
        try:
            found[name] = contender()
        except ImportError:
            continue
    return found
