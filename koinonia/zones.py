"""Time zones by the names of the IANA database."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError

NO_ZONE = "This is not a time zone, such as America/Chicago."
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files of the database, or of a machine, that name no place."""


def is_zone(name: str) -> bool:
    return name in _names()


def check_zone(name: str) -> None:
    """Raise Django's ValidationError where ``name`` is no zone: for the model's field."""
    if not is_zone(name):
        raise ValidationError(NO_ZONE)


def zone_named(name: str) -> tzinfo:
    """Return the zone; UTC for a name that an earlier release let into the database."""
    return ZoneInfo(name) if is_zone(name) else UTC


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES
