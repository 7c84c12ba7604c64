"""Dates in the formats of other programs, with an unknown order of day and month."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_SHORT = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:,?\s.*)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?:\s.*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[. -]+([A-Za-z]{3,9})\.?,?[ -](\d{4})(?:\s.*)?")
_MAX_LENGTH = 40
_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """The earliest and the latest day that a cell can mean: 03/04/2026 is in March or April."""

    first: date
    last: date


def span_of(cell: str) -> Span | None:
    """Return the days that ``cell`` can mean; None if it is not a date."""
    text = " ".join(cell.split())
    if len(text) > _MAX_LENGTH:
        return None
    if match := _ISO.fullmatch(text):
        days = [_day(int(match[1]), int(match[2]), int(match[3]))]
    elif match := _SHORT.fullmatch(text):
        year = int(match[3]) + (_CENTURY if len(match[3]) == len("26") else 0)
        one, other = int(match[1]), int(match[2])
        days = [_day(year, one, other), _day(year, other, one)]
    elif match := _MONTH_FIRST.fullmatch(text):
        days = [_day(int(match[3]), _month(match[1]), int(match[2]))]
    elif match := _DAY_FIRST.fullmatch(text):
        days = [_day(int(match[3]), _month(match[2]), int(match[1]))]
    else:
        return None
    possible = [day for day in days if day]
    return Span(min(possible), max(possible)) if possible else None


def _month(name: str) -> int:
    short = name[:3].casefold()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
