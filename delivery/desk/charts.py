"""Stacked bars as the numbers of an SVG drawing of 100 by 100, and of the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def stacked(
    rows: Sequence[tuple[str, Sequence[int]]], series: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the context of a template that draws stacked bars.

    ``rows``: label and numbers of each bar. ``series``: label and tone of each number.
    """
    highest = max((sum(numbers) for _label, numbers in rows), default=0) or 1
    step = 100 / max(len(rows), 1)
    drawn = []
    for index, (label, numbers) in enumerate(rows):
        top, parts = 100.0, []
        for number, (name, tone) in zip(numbers, series, strict=True):
            height = 100 * number / highest
            top -= height
            parts.append({"tone": tone, "y": _short(top), "height": _short(height), "name": name})
        drawn.append(
            {"label": label, "numbers": numbers, "parts": parts, "x": _short(index * step)}
        )
    return {
        "rows": drawn,
        "series": series,
        "width": _short(step * 0.72),
        "highest": highest,
        "totals": [sum(numbers[i] for _label, numbers in rows) for i in range(len(series))],
    }


def _short(number: float) -> str:
    """Return the number for SVG, independent of the locale."""
    return f"{number:.2f}"
