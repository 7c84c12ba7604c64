"""The time of a scheduled text: a day and a clock time in the church's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.core.exceptions import ValidationError
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from koinonia.zones import zone_named


def moment(day: date, clock: time, zone_name: str) -> datetime:
    """Return the moment of this day and clock time. Raise ValidationError for a skipped clock time.

    If the clocks show a time twice, return the first moment.
    """
    zone = zone_named(zone_name)
    at = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, clock):
        raise ValidationError(
            _(
                "There is no %(clock)s on that day, because the clocks go forward. Choose another time."
            )
            % {"clock": time_format(clock)}
        )
    return at


def in_words(at: datetime, zone_name: str, *, now: datetime) -> str:
    """Return the moment with its weekday spelled out, and the zone; the year if it is another."""
    zone = zone_named(zone_name)
    here = at.astimezone(zone)
    is_this_year = here.year == now.astimezone(zone).year
    return _("%(weekday)s, %(day)s at %(clock)s (%(zone)s time)") % {
        "weekday": date_format(here, "l"),
        "day": date_format(here, "MONTH_DAY_FORMAT" if is_this_year else "DATE_FORMAT"),
        "clock": date_format(here, "TIME_FORMAT"),
        "zone": zone_name.rpartition("/")[2].replace("_", " "),
    }
