"""Columns that a model derives from others when it is saved."""

from __future__ import annotations

from typing import Any


def with_derived(options: dict[str, Any], derived: str, *sources: str) -> dict[str, Any]:
    """Return the options of ``save`` with ``derived`` in ``update_fields`` if a source is in it."""
    fields = options.get("update_fields")
    if fields is None or set(sources).isdisjoint(fields):
        return options
    return {**options, "update_fields": {*fields, derived}}
