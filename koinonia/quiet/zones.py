"""The time zones of a phone number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import phonenumbers

from koinonia.zones import is_zone

_NORTH_AMERICAN = re.compile(r"\+1[0-9]{10}")
_FEW = 4
"""More zones than this are a whole country: the number tells no place."""


def zones_of(number: str, own: str) -> Sequence[str]:
    """Return the possible zones of ``number``; ``own``, the church's zone, if they are unknown.

    A number of a whole country, such as a mobile number of Australia, belongs to the church's zone if
    that is one of the country's zones.
    """
    # The first six digits of a North American number tell its zone.
    is_north_american = _NORTH_AMERICAN.fullmatch(number)
    found = _looked_up(f"{number[:8]}0000" if is_north_american else number)
    if not found or (len(found) > _FEW and own in found):
        return (own,)
    return found


@lru_cache(maxsize=10_000)
def _looked_up(number: str) -> tuple[str, ...]:
    # Imported late: it reads the zones of all countries.
    from phonenumbers.timezone import time_zones_for_geographical_number

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in time_zones_for_geographical_number(parsed) if is_zone(zone))
