"""The time of a scheduled text in words."""

from __future__ import annotations

from datetime import UTC, datetime

from koinonia.console.send.moments import in_words


def test_a_time_of_this_year_has_no_year() -> None:
    now = datetime(2030, 12, 5, 15, 0, tzinfo=UTC)
    zone = "America/Chicago"
    soon, later = datetime(2030, 12, 9, 1, 0, tzinfo=UTC), datetime(2031, 1, 1, 14, 0, tzinfo=UTC)
    assert in_words(soon, zone, now=now) == "Sunday, December 8 at 7 p.m. (Chicago time)"
    assert in_words(later, zone, now=now) == "Wednesday, Jan. 1, 2031 at 8 a.m. (Chicago time)"
