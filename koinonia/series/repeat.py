"""The rule of a series: weekly or monthly, by RFC 5545 (``python-dateutil``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from itertools import islice

from dateutil.rrule import FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule

from koinonia.models import Series
from koinonia.zones import zone_named

_WEEKDAYS = (MO, TU, WE, TH, FR, SA, SU)
_IN_EVERY_MONTH = 28
"""The last day of the shortest month. A later day becomes the last day of a short month."""
_IN_EVERY_MONTH_TOO = 4
"""The least Sundays of a month. The fifth one becomes the last one of each month."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The rule of a repeating broadcast."""

    every: str
    """``week`` or ``month``."""
    interval: int = 1
    on: str = "day"
    """With ``month``: ``day``, the same day of the month, or ``weekday``, the second Sunday."""
    until: date | None = None
    count: int | None = None

    @classmethod
    def of(cls, series: Series) -> Repeat:
        return cls(
            every=series.every,
            interval=series.interval,
            on="weekday" if series.on_weekday else "day",
            until=series.until,
            count=series.count,
        )

    def rule(self, first: datetime) -> rrule:
        """Return the rule from ``first`` on, a time without a zone: the clock of the church."""
        until = None if self.until is None else datetime.combine(self.until, time.max)
        bounds = {"dtstart": first, "interval": self.interval, "until": until, "count": self.count}
        if self.every == Series.Every.WEEK:
            return rrule(WEEKLY, byweekday=_WEEKDAYS[first.weekday()], **bounds)
        if self.on == "weekday":
            nth = (first.day - 1) // 7 + 1
            weekday = _WEEKDAYS[first.weekday()]
            return rrule(
                MONTHLY, byweekday=weekday(nth if nth <= _IN_EVERY_MONTH_TOO else -1), **bounds
            )
        if first.day <= _IN_EVERY_MONTH:
            return rrule(MONTHLY, bymonthday=first.day, **bounds)
        days = range(_IN_EVERY_MONTH, first.day + 1)
        return rrule(MONTHLY, bymonthday=tuple(days), bysetpos=-1, **bounds)

    def text(self, first: datetime) -> str:
        """Return the rule in the notation of RFC 5545, without its start."""
        return str(self.rule(first)).split("RRULE:")[-1]


def clock_of(series: Series) -> datetime:
    """Return the first occurrence as the clock of the church shows it."""
    return datetime.combine(series.starts_on, series.at)


def dates_after(series: Series, day: date | None) -> Iterator[date]:
    """Yield the days of the occurrences after ``day``, in order."""
    rule = Repeat.of(series).rule(clock_of(series))
    first = rule if day is None else rule.xafter(datetime.combine(day, time.max))
    for at in first:
        yield at.date()


def moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the UTC time of this day and clock time in ``zone``.

    A time that the clocks skip in spring comes later by the skipped hour; of two in autumn, the first.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def first_moments(repeat: Repeat, first_at: datetime, zone_name: str, most: int) -> list[datetime]:
    """Return the first times of a series that starts at ``first_at``, for a preview."""
    zone = zone_named(zone_name)
    first = first_at.astimezone(zone).replace(tzinfo=None)
    return [moment(at.date(), at.time(), zone) for at in islice(repeat.rule(first), most)]
