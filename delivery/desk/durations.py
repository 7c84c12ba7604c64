"""Lengths of time in words, for pages of the support desk."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def in_words(seconds: float | None) -> str:
    """Return the length in its largest whole unit, such as ``4 minutes``; ``""`` for None."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "a second"
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("The smallest unit is a second.")


def since(moment: datetime | None, now: datetime) -> str:
    """Return for how long ``moment`` has passed, to the minute; ``""`` for None."""
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    return "under a minute" if seconds < 60 else in_words(seconds)
