"""Filters of the pages of the members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import phonenumbers
from django import template

register = template.Library()


@register.filter
def of(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name: ``{{ meanings|of:column.meaning }}``."""
    return values.get(name, "")


@register.filter
@lru_cache(maxsize=4096)
def as_written(number: str, country: str) -> str:
    """Return an E.164 number as people of ``country`` write it: ``{{ number|as_written:country }}``."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    formats = phonenumbers.PhoneNumberFormat
    is_here = phonenumbers.country_code_for_region(country) == parsed.country_code
    return phonenumbers.format_number(
        parsed, formats.NATIONAL if is_here else formats.INTERNATIONAL
    )
