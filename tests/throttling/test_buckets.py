from __future__ import annotations

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from throttling.buckets import Bucket, BucketStore, CostAboveBurstError, LocalBuckets, Rate, parse

NOW = 1_790_000_000_000


def test_a_bucket_expires_when_it_is_full(store: BucketStore) -> None:
    decision = store.take([Bucket("b", parse("10/m"), cost=4)])
    lifetime = store.client.pttl(store.key("b"))
    assert decision.states[0].full_ms == 24_000
    assert 23_000 < lifetime <= 24_000


def test_a_refusal_writes_nothing(store: BucketStore) -> None:
    bucket = Bucket("b", parse("1/m"))
    store.take([bucket], now=NOW)
    before = store.client.hgetall(store.key("b"))
    assert not store.take([bucket], now=NOW + 10).allowed
    assert store.client.hgetall(store.key("b")) == before


def test_a_refusal_by_one_bucket_charges_none(store: BucketStore) -> None:
    wide, narrow = Bucket("wide", parse("100/m")), Bucket("narrow", parse("1/m"))
    store.take([narrow], now=NOW)
    assert not store.take([wide, narrow], now=NOW).allowed
    assert store.peek([wide], now=NOW).states[0].remaining == 100


def test_a_clock_that_is_set_back_mints_no_tokens(store: BucketStore) -> None:
    bucket = Bucket("b", parse("100/m"), cost=100)
    store.take([bucket], now=NOW)
    for step in range(20):
        skewed = NOW - 1_500 if step % 2 else NOW
        assert store.take([Bucket("b", parse("100/m"))], now=skewed).granted == 0


def test_a_bucket_is_full_after_a_hundred_idle_years(store: BucketStore) -> None:
    bucket = Bucket("b", Rate(50_000_000, 86_400_000, 50_000_000), cost=50_000_000)
    store.take([bucket], now=NOW)
    assert store.take([bucket], now=NOW + 100 * 365 * 86_400_000).allowed


def test_each_refusal_in_a_row_doubles_the_wait_up_to_an_hour(store: BucketStore) -> None:
    bucket = Bucket("b", parse("20/15m"), longest_wait_ms=3_600_000)
    store.take([Bucket("b", parse("20/15m"), cost=20)], now=NOW)
    waits = [store.take([bucket], now=NOW).wait_ms // 1000 for _ in range(9)]
    assert waits == [45, 90, 180, 360, 720, 1440, 2880, 3600, 3600]


def test_a_bucket_enforces_the_wait_and_then_forgets_it(store: BucketStore) -> None:
    bucket = Bucket("b", parse("20/15m"), longest_wait_ms=3_600_000)
    store.take([Bucket("b", parse("20/15m"), cost=20)], now=NOW)
    store.take([bucket], now=NOW)
    waits = store.take([bucket], now=NOW).wait_ms
    assert not store.take([bucket], now=NOW + 60_000).allowed
    assert waits == 90_000
    assert store.take([bucket], now=NOW + 60_000 + 180_000).allowed
    after = [store.take([bucket], now=NOW + 240_000) for _ in range(6)]
    assert next(decision.wait_ms for decision in after if not decision.allowed) <= 45_000


def test_returned_tokens_never_exceed_the_burst(store: BucketStore) -> None:
    rate = parse("20/s")
    store.take([Bucket("sender", rate, cost=20)], now=NOW)
    assert store.give_back([Bucket("sender", rate, cost=5)], now=NOW).states[0].remaining == 5
    assert store.give_back([Bucket("sender", rate, cost=20)], now=NOW).states[0].remaining == 20


def test_a_shadow_counts_and_never_refuses(store: BucketStore) -> None:
    shadow = Bucket("b", parse("1/m"), shadow=True)
    assert [store.take([shadow], now=NOW).states[0].short for _ in range(3)] == [False, True, True]
    assert store.take([shadow], now=NOW).allowed


def test_a_cost_above_the_burst_is_refused_before_redis_is_asked() -> None:
    with pytest.raises(CostAboveBurstError, match="at most 10"):
        Bucket("b", parse("10/m"), cost=11)


def test_the_buckets_that_refused_most_are_remembered_for_an_hour(store: BucketStore) -> None:
    often, once = Bucket("often", parse("1/m")), Bucket("once", parse("1/m"))
    for bucket in (often, often, often, once, once):
        store.take([bucket])
    assert store.most_refused() == [("often", 2), ("once", 1)]
    assert 0 < store.client.pttl(store.refused_key) <= 3_600_000


def test_a_reset_fills_the_bucket(store: BucketStore) -> None:
    bucket = Bucket("b", parse("1/m"))
    store.take([bucket])
    assert store.reset(["b", "never-used"]) == 1
    assert store.take([bucket]).allowed


def test_the_answer_carries_the_announced_version(store: BucketStore) -> None:
    assert store.peek([]).version == ""
    store.announce("v1")
    assert store.take([Bucket("b", parse("1/m"))]).version == "v1"


@pytest.mark.parametrize("command", ["script_flush", "flushall"])
def test_the_store_works_after_a_flush(store: BucketStore, command: str) -> None:
    bucket = Bucket("b", parse("5/m"))
    store.take([bucket])
    getattr(store.client, command)()
    assert store.take([bucket]).allowed


rates = st.builds(
    Rate, st.integers(1, 5_000), st.sampled_from([1_000, 60_000, 900_000]), st.integers(1, 500)
)
law = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@law
@given(rate=rates, seed=st.integers())
def test_a_client_that_waits_as_told_is_allowed(store: BucketStore, rate: Rate, seed: int) -> None:
    bucket = Bucket(f"b{seed}", rate, cost=rate.burst)
    store.take([bucket], now=NOW)
    wait = store.take([bucket], now=NOW).wait_ms
    assert not store.take([bucket], now=NOW + wait - 1).allowed
    assert store.take([bucket], now=NOW + wait).allowed
    store.reset([bucket.key])


@law
@given(rate=rates, gaps=st.lists(st.integers(0, 5_000), min_size=5, max_size=40))
def test_no_window_allows_more_than_burst_and_rate(
    store: BucketStore, rate: Rate, gaps: list[int]
) -> None:
    store.client.flushdb()
    now, admitted = NOW, 0
    for gap in gaps:
        now += gap
        left = store.peek([Bucket("b", rate)], now=now).states[0].remaining
        if left and store.take([Bucket("b", rate, cost=left)], now=now).allowed:
            admitted += left
    assert admitted <= rate.burst + (now - NOW) * rate.count / rate.period_ms


def test_a_local_bucket_counts_as_the_shared_one(store: BucketStore) -> None:
    clock = [1000.0]
    local = LocalBuckets(clock=lambda: clock[0])
    bucket = Bucket("b", Rate(7, 1_000, 3))
    for step in range(200):
        clock[0] += (step * 37 % 211) / 1000
        now = int(clock[0] * 1000)
        assert local.take([bucket]).states == store.take([bucket], now=now).states


def test_local_buckets_keep_a_bounded_number() -> None:
    local = LocalBuckets(size=10)
    for name in range(50):
        local.take([Bucket(str(name), parse("1/m"))])
    assert len(local._levels) == 10


def test_a_store_works_without_django(store: BucketStore) -> None:
    pool = store.client.connection_pool
    client = redis.Redis(connection_pool=pool)
    alone = BucketStore(lambda: client, "pace")
    assert alone.take([Bucket("account", parse("1/s"))]).allowed


def test_a_shadow_is_never_listed_among_the_refusing_buckets(store: BucketStore) -> None:
    wide, shadow = Bucket("wide", parse("1/d")), Bucket("shadow", parse("1/d"), shadow=True)
    for _ in range(3):
        store.take([wide, shadow])
    assert store.most_refused() == [("wide", 2)]


def test_the_list_of_refusing_buckets_stays_short(store: BucketStore) -> None:
    store.client.zadd(store.refused_key, {f"{store.prefix}:{n}": 2 for n in range(1000)})
    bucket = Bucket("one-more", parse("1/d"))
    for _ in range(2):
        store.take([bucket])
    assert store.client.zcard(store.refused_key) == 1000
