"""Numbers for people: with the separators of the active language."""

from __future__ import annotations

from django.utils.formats import number_format

_UNGROUPED = 1000


def grouped(value: int | float) -> str:
    """Return the number as people of the active language write it: 10,302."""
    if isinstance(value, int) and -_UNGROUPED < value < _UNGROUPED:
        # Most numbers, at a tenth of the cost: lists show many.
        return str(int(value))
    return number_format(value, use_l10n=True, force_grouping=True)
