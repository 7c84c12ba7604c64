"""The success of sending in the last hour, day and month, as charts with tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from delivery import status_report
from delivery.desk import charts
from delivery.tallies import reading

_SERIES = (("Delivered", "good"), ("With the carrier", "calm"), ("Failed", "warn"), ("Dead", "bad"))
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Success:
    """Rates in per cent, or None without texts; and the context of two charts."""

    hour: float | None
    day: float | None
    month: float | None
    by_hour: dict[str, Any]
    by_day: dict[str, Any]


def success(now: datetime, zone: tzinfo) -> Success:
    """Return the rates of all tenants, by the tallies. Six queries."""
    days = status_report.days(None, now, zone)
    good = sum(day["sent"] - day["failed"] for day in days)
    bad = sum(day["failed"] + day["dead"] for day in days)
    return Success(
        hour=_percent(reading.success_rate(now - timedelta(hours=1))),
        day=_percent(reading.success_rate(now - timedelta(hours=24))),
        month=_percent(good / (good + bad) if good + bad else None),
        by_hour={**_by_hour(now, zone), "title": "Texts of the last 24 hours", "first": "Hour"},
        by_day={
            **charts.stacked([(f"{day['date']:%b %-d}", _numbers(day)) for day in days], _SERIES),
            "title": "Texts of the last 30 days",
            "first": "Day",
        },
    )


def _by_hour(now: datetime, zone: tzinfo) -> dict[str, Any]:
    this = now.replace(minute=0, second=0, microsecond=0)
    hours = [this - timedelta(hours=back) for back in range(_HOURS - 1, -1, -1)]
    found = reading.by_hour(hours[0])
    nothing = {"sent": 0, "delivered": 0, "failed": 0, "dead": 0}
    rows = [
        (f"{hour.astimezone(zone):%H:%M}", _numbers(found.get(hour, nothing))) for hour in hours
    ]
    return charts.stacked(rows, _SERIES)


def _numbers(counts: dict[str, Any]) -> list[int]:
    on_its_way = max(0, counts["sent"] - counts["delivered"] - counts["failed"])
    return [counts["delivered"], on_its_way, counts["failed"], counts["dead"]]


def _percent(rate: float | None) -> float | None:
    """Return per cent, rounded down, so that 100 means all."""
    return None if rate is None else int(1000 * rate) / 10
