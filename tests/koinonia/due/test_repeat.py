"""The rule of a series: days, month ends, and clocks that change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from koinonia.models import Series
from koinonia.series.repeat import Repeat, dates_after, first_moments, moment

CHICAGO = ZoneInfo("America/Chicago")


def days(repeat: Repeat, starts_on: date, most: int = 4) -> list[str]:
    series = Series(
        every=repeat.every, interval=repeat.interval, on_weekday=repeat.on == "weekday",
        until=repeat.until, count=repeat.count, starts_on=starts_on, at=time(9),
    )  # fmt: skip
    return [f"{day:%m-%d}" for day in islice(dates_after(series, None), most)]


@pytest.mark.parametrize(
    ("repeat", "starts_on", "expected"),
    [
        (Repeat("week"), date(2026, 12, 6), ["12-06", "12-13", "12-20", "12-27"]),
        (Repeat("week", 2), date(2026, 12, 6), ["12-06", "12-20", "01-03", "01-17"]),
        (Repeat("week", count=2), date(2026, 12, 6), ["12-06", "12-13"]),
        (Repeat("week", until=date(2026, 12, 13)), date(2026, 12, 6), ["12-06", "12-13"]),
        (Repeat("month"), date(2026, 1, 15), ["01-15", "02-15", "03-15", "04-15"]),
        (Repeat("month"), date(2026, 1, 31), ["01-31", "02-28", "03-31", "04-30"]),
        (Repeat("month"), date(2026, 1, 30), ["01-30", "02-28", "03-30", "04-30"]),
        (Repeat("month", on="weekday"), date(2026, 12, 13), ["12-13", "01-10", "02-14", "03-14"]),
        (Repeat("month", on="weekday"), date(2026, 11, 29), ["11-29", "12-27", "01-31", "02-28"]),
        (Repeat("month", 3), date(2026, 1, 1), ["01-01", "04-01", "07-01", "10-01"]),
    ],
)
def test_the_days_of_a_rule(repeat: Repeat, starts_on: date, expected: list[str]) -> None:
    assert days(repeat, starts_on) == expected


def test_the_time_stays_on_the_clock_of_the_church_when_clocks_change() -> None:
    first = datetime(2026, 10, 25, 14, tzinfo=UTC)  # 9 AM in Chicago, in summer
    found = first_moments(Repeat("week"), first, "America/Chicago", 3)
    assert [at.astimezone(CHICAGO).hour for at in found] == [9, 9, 9]
    assert [at.hour for at in found] == [14, 15, 15]


def test_a_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    skipped = moment(date(2026, 3, 8), time(2, 30), CHICAGO)
    assert skipped.astimezone(CHICAGO).time() == time(3, 30)
    twice = moment(date(2026, 11, 1), time(1, 30), CHICAGO)
    assert twice == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_the_rule_is_written_as_the_standard_says() -> None:
    first = datetime.combine(date(2026, 12, 13), time(9))
    assert Repeat("week", 2).text(first) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"
    assert Repeat("month", on="weekday").text(first) == "FREQ=MONTHLY;BYDAY=+2SU"
