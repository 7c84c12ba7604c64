from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttling.rates import InvalidRateError, Rate, parse


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/m", Rate(100, 60_000, 100)),
        ("1000/m:200", Rate(1000, 60_000, 200)),
        ("5/15m", Rate(5, 900_000, 5)),
        ("10/h", Rate(10, 3_600_000, 10)),
        ("1/30s:4", Rate(1, 30_000, 4)),
        ("2/d", Rate(2, 86_400_000, 2)),
        (" 7/s ", Rate(7, 1_000, 7)),
    ],
)
def test_a_rate_is_parsed(text: str, rate: Rate) -> None:
    assert parse(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100",
        "100/",
        "/m",
        "100/minute",
        "100/m:",
        "-1/m",
        "1.5/m",
        "0/m",
        "1/0m",
        "1/m:0",
        "100 / m",
        "100/m:20:3",
        "99999999/d",
    ],
)
def test_a_text_that_is_not_a_rate_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidRateError, match=r"rate|at least 1|exactly"):
        parse(text)


@given(
    st.integers(1, 10_000),
    st.sampled_from([1_000, 30_000, 900_000, 86_400_000]),
    st.integers(1, 500),
)
def test_a_rate_that_is_written_can_be_parsed_again(count: int, period_ms: int, burst: int) -> None:
    rate = Rate(count, period_ms, burst)
    assert parse(str(rate)) == rate


def test_processes_that_count_alone_divide_a_rate() -> None:
    assert parse("100/m:40").shared_by(4) == Rate(25, 60_000, 10)
    assert parse("2/m").shared_by(8) == Rate(1, 60_000, 1)
