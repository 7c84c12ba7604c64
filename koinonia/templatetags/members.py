"""Filters of the pages of the members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from koinonia import ids

register = template.Library()


@register.filter
def public_id(key: int) -> str:
    """Return the id of the API for a primary key: ``{{ member.pk|public_id }}``."""
    return ids.encode(key)


@register.filter
def of(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name: ``{{ meanings|of:column.meaning }}``."""
    return values.get(name, "")
