from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from delivery.backoff import next_attempt

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (3, 4)])
def test_the_pauses_are_exactly_one_two_and_four_seconds(attempts: int, seconds: int) -> None:
    assert next_attempt(attempts, NOW, delays=(1, 2, 4)) == NOW + timedelta(seconds=seconds)


def test_there_is_no_fifth_attempt() -> None:
    assert next_attempt(4, NOW, delays=(1, 2, 4)) is None


def test_jitter_is_at_most_its_share() -> None:
    latest = next_attempt(2, NOW, delays=(1, 2, 4), jitter=0.5, rng=lambda: 1.0)
    assert latest == NOW + timedelta(seconds=3)
