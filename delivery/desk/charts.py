"""Stacked bars as SVG of 100 by 100, and the same numbers as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe


def stacked(
    rows: Sequence[tuple[str, Sequence[int]]],
    series: Sequence[tuple[str, str]],
    *,
    write: Callable[[int], str] = str,
) -> dict[str, Any]:
    """Return the context of a template that draws stacked bars.

    ``rows``: label and numbers of each bar. ``series``: label and tone of each number. ``write`` writes
    a number of the table.
    """
    highest = max((sum(numbers) for _label, numbers in rows), default=0) or 1
    step = 100 / max(len(rows), 1)
    tones = [escape(tone) for _name, tone in series]
    return {
        "drawn": _joined(
            f"<g><title>{conditional_escape(label)}</title>"
            f"{_bar(index * step, step * 0.72, numbers, tones, highest)}</g>"
            for index, (label, numbers) in enumerate(rows)
        ),
        "series": series,
        "lines": _joined(
            f'<tr><th scope="row">{conditional_escape(label)}</th>{_cells(numbers, write)}</tr>'
            for label, numbers in rows
        ),
        "totals": [
            (name, tone, sum(numbers[index] for _label, numbers in rows))
            for index, (name, tone) in enumerate(series)
        ],
    }


def _joined(escaped: Iterable[str]) -> SafeString:
    """Join parts whose words are escaped: ``format_html_join`` would look at each value again."""
    return mark_safe("".join(escaped))  # noqa: S308 -- escaped by the caller


def _bar(x: float, width: float, numbers: Sequence[int], tones: Sequence[str], highest: int) -> str:
    """Return the parts of one bar, from the bottom; ``tones`` are escaped."""
    top, parts = 100.0, []
    for count, tone in zip(numbers, tones, strict=True):
        height = 100 * count / highest
        top -= height
        parts.append(
            f'<rect class="{tone}" x="{x:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
        )
    return "".join(parts)


def _cells(numbers: Sequence[int], write: Callable[[int], str]) -> str:
    written = (write(one) for one in numbers)
    cells = (one if one.isdigit() else escape(one) for one in written)
    return "".join(f'<td class="number">{one}</td>' for one in cells)
