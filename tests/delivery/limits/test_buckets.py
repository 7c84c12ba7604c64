from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.limits import pacing
from delivery.limits.pacing.buckets import Limit, burst
from delivery.limits.pacing.local import LocalBuckets
from tests.delivery.accounts import account
from tests.delivery.redis_state import fresh

HERE = "+13125550100"


@given(
    rate=st.floats(0.1, 100),
    asks=st.lists(
        st.tuples(st.floats(0, 3), st.lists(st.integers(1, 10), min_size=1, max_size=30)),
        min_size=1,
        max_size=30,
    ),
)
def test_no_window_sees_more_than_its_rate_and_burst(
    rate: float, asks: list[tuple[float, list[int]]]
) -> None:
    buckets, now = LocalBuckets(), 0.0
    limit = Limit("one", rate, burst(rate))
    spent: list[tuple[float, int]] = []
    for pause, costs in asks:
        now += pause
        granted, _ = buckets.take([limit], costs, now)
        spent.append((now, sum(costs[:granted])))
    for start, (begin, _) in enumerate(spent):
        total = 0
        for end, parts in spent[start:]:
            total += parts
            assert total <= limit.burst + rate * (end - begin) + 1e-6


def test_workers_together_keep_the_rate_of_the_sender(settings: Any) -> None:
    fresh(settings, SENDER_RATE=100).close()
    began, parts = time.monotonic(), 0
    while parts < 150:
        parts += 3 * pacing.take(account(), 1, HERE, [3] * 10).texts
    assert parts <= 100 + 100 * (time.monotonic() - began)


@pytest.mark.parametrize("name", ["ACCOUNT_RATE", "SENDER_RATE", "TENANT_RATE"])
def test_each_limit_bounds_alone(settings: Any, name: str) -> None:
    fresh(settings, **{name: 10}).close()
    grant = pacing.take(account(), 1, HERE, [1] * 50)
    assert grant.texts < 50
    assert grant.wait > 0


def test_a_text_of_ten_parts_goes_even_at_a_tenth_of_a_part_per_second(settings: Any) -> None:
    fresh(settings, SENDER_RATE=0.1).close()
    assert pacing.take(account(), 1, HERE, [10, 1]).texts == 1


def test_a_frozen_number_pauses_alone(settings: Any) -> None:
    fresh(settings, SENDER_RATE=100).close()
    pacing.freeze_sender(account(), HERE, 60)
    rests = pacing.take(account(), 1, HERE, [1])
    assert (rests.texts, 59 < rests.wait <= 60) == (0, True)
    assert pacing.take(account(), 1, "+13125550200", [1]).texts == 1


def test_a_number_without_a_limit_can_be_frozen_too(settings: Any) -> None:
    fresh(settings).close()
    assert pacing.take(account(), 1, HERE, [10] * 500).texts == 500
    pacing.freeze_sender(account(), HERE, 60)
    assert pacing.take(account(), 1, HERE, [1]).texts == 0


def test_a_frozen_account_pauses_all_its_numbers(settings: Any) -> None:
    fresh(settings, ACCOUNT_RATE=100).close()
    pacing.freeze_account(account(), 5)
    assert pacing.take(account(), 1, HERE, [1]).texts == 0
    assert pacing.take(account(), 2, "+13125550200", [1]).texts == 0


def test_without_redis_a_worker_keeps_to_its_share_of_the_rate(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh(settings, SENDER_RATE=100).close()
    for name in ("one", "two", "three", "four"):
        monkeypatch.setenv("DELIVERY_WORKER", name)
        pacing.take(account(), 1, HERE, [1])
    settings.DELIVERY = {**settings.DELIVERY, "REDIS_URL": "redis://127.0.0.1:9/0"}
    assert pacing.take(account(), 1, HERE, [1] * 100).texts <= 25


def test_a_number_does_not_stand_in_the_keys_of_redis(settings: Any) -> None:
    client = fresh(settings, SENDER_RATE=100)
    pacing.take(account(), 1, HERE, [1])
    assert not [key for key in client.keys("*") if b"3125550100" in key]
    client.close()
