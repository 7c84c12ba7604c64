"""The names of the admin's pages, for its templates."""

from __future__ import annotations

from typing import Any

from django import template

from koinonia.desk import menu

register = template.Library()


@register.filter
def menu_entry(opts: Any) -> menu.Entry | None:
    """Return the entry of the menu for a model's ``_meta``."""
    return menu.entry_of(opts)
