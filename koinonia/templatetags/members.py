"""Filters of the pages of the members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name: ``{{ meanings|of:column.meaning }}``."""
    return values.get(name, "")
