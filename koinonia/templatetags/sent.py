"""Filters of the pages of sent texts: ids and times for addresses and scripts."""

from __future__ import annotations

from datetime import datetime

from django import template

from koinonia import ids

register = template.Library()


@register.filter
def encoded(key: int) -> str:
    """Return the id of a row for an address."""
    return ids.encode(key)


@register.filter
def instant(at: datetime) -> str:
    """Return the time for a script."""
    return at.isoformat()
