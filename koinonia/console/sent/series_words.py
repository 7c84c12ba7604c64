"""The rule of a series as a sentence."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from koinonia.models import Series
from koinonia.numbers import grouped
from koinonia.series.repeat import Repeat, clock_of

_LAST = 5


def rule_in_words(series: Series) -> str:
    """Return "every 2 weeks on Sunday at 9 a.m., until 6 June"."""
    return repeat_in_words(Repeat.of(series), clock_of(series))


def repeat_in_words(repeat: Repeat, first: datetime) -> str:
    """Return the rule from ``first`` on, a time without a zone, as a sentence without its end."""
    return f"{_days(repeat, first)} {_clock(first)}{_end(repeat)}"


def _days(repeat: Repeat, first: datetime) -> str:
    values = {"n": repeat.interval, "weekday": date_format(first, "l"), "day": first.day}
    if repeat.every == Series.Every.WEEK:
        words = ngettext(
            "every week on %(weekday)s", "every %(n)s weeks on %(weekday)s", repeat.interval
        )
    elif repeat.on == "weekday":
        values["nth"] = _nth((first.day - 1) // 7 + 1)
        words = ngettext(
            "every month on the %(nth)s %(weekday)s",
            "every %(n)s months on the %(nth)s %(weekday)s",
            repeat.interval,
        )
    else:
        words = ngettext(
            "every month on day %(day)s", "every %(n)s months on day %(day)s", repeat.interval
        )
    return words % values


def _nth(number: int) -> str:
    return {
        1: pgettext("weekday of a month", "first"),
        2: pgettext("weekday of a month", "second"),
        3: pgettext("weekday of a month", "third"),
        4: pgettext("weekday of a month", "fourth"),
        _LAST: pgettext("weekday of a month", "last"),
    }[number]


def _clock(first: datetime) -> str:
    return _("at %(clock)s") % {"clock": time_format(first.time())}


def _end(repeat: Repeat) -> str:
    if isinstance(repeat.until, date):
        return _(", until %(day)s") % {"day": date_format(repeat.until)}
    if repeat.count is not None:
        words = ngettext(", %(n)s time", ", %(n)s times", repeat.count)
        return words % {"n": grouped(repeat.count)}
    return ""
