"""Times in requests: RFC 3339, section 5.6, with an offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

EXAMPLE = "2026-12-24T17:00:00-06:00"
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_BLANK_FOR_PLUS = re.compile(r"(.*[Tt].*) ([0-9]{2}:[0-9]{2})")
_WITHOUT_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+)?")
_MAX_LENGTH = 60
_FURTHEST_OFFSET = timedelta(hours=14)


@extend_schema_field({"type": "string", "format": "date-time", "example": EXAMPLE})
class InstantField(serializers.DateTimeField):
    """A time such as ``2026-12-24T17:00:00-06:00`` or ``…Z``, converted to UTC.

    Seconds are required; a fraction may have up to nine digits. A leap second becomes the second
    after it. With ``in_query``, a blank in place of an unencoded ``+`` is accepted.
    """

    default_error_messages = {
        "no_offset": "A time needs its offset from UTC: write it like {example}, or with Z for UTC.",
        "unreadable": "This is not a time. Write it like {example}, or with Z for UTC.",
    }

    def __init__(self, *, in_query: bool = False, **options: Any) -> None:
        self.in_query = in_query
        super().__init__(**options)

    def to_internal_value(self, value: Any) -> datetime:
        text = value if isinstance(value, str) and len(value) <= _MAX_LENGTH else ""
        if self.in_query and (lost := _BLANK_FOR_PLUS.fullmatch(text)):
            text = f"{lost[1]}+{lost[2]}"
        moment = _read(text)
        if moment is None:
            kind = "no_offset" if _WITHOUT_OFFSET.fullmatch(text) else "unreadable"
            self.fail(kind, example=EXAMPLE)
        return moment


def _read(text: str) -> datetime | None:
    """Return the time in UTC, or None if the text is not a valid time."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset > _FURTHEST_OFFSET or int(minutes or 0) > 59 or int(second) > 60:
        return None
    zone = timezone(-offset if sign == "-" else offset)
    try:
        at_minute = datetime.strptime(f"{day}T{minute}", "%Y-%m-%dT%H:%M").replace(tzinfo=zone)
        since = timedelta(seconds=int(second), microseconds=int((fraction or "").ljust(6, "0")[:6]))
        moment = (at_minute + since).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # RFC 3339, section 5.7: second 60 exists only at the end of a UTC day.
    if second == "60" and (moment.hour, moment.minute) != (0, 0):
        return None
    return moment
