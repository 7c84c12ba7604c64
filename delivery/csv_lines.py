"""Lines of CSV (RFC 4180), safe from formulas in their cells."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet read a cell as a formula (OWASP, "CSV Injection")."""


class _Echo:
    """A file for ``csv.writer`` that returns each line in place of storing it."""

    def write(self, text: str) -> str:
        return text


_writer: Any = csv.writer(_Echo())


def line(cells: Iterable[object]) -> str:
    """Return the cells as one line. A cell that looks like a formula gets an apostrophe in front."""
    texts = (str(cell) for cell in cells)
    written: str = _writer.writerow(
        f"'{text}" if text.startswith(_FORMULA) else text for text in texts
    )
    return written
