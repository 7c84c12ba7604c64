"""Time zones by the names of the IANA database."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext


def gettext_noop(sentence: str) -> str:
    """Mark the sentence for the catalogue. Django's function reads the settings, which import this file."""
    return sentence


NO_ZONE = gettext_noop("This is not a time zone, such as America/Chicago.")
_NOT_REGIONS = frozenset({"Factory", "localtime", "posixrules"})
"""Entries of the database, or of a machine, that are not regions."""


def is_zone(name: str) -> bool:
    return name in _names()


def check_zone(name: str) -> None:
    """Raise Django's ValidationError unless ``name`` is a time zone. A validator of a model field."""
    if not is_zone(name):
        raise ValidationError(gettext(NO_ZONE))


def zone_named(name: str) -> tzinfo:
    """Return the zone; UTC for an invalid name that an earlier release stored."""
    return ZoneInfo(name) if is_zone(name) else UTC


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_REGIONS
