"""Merged cells and uncalculated formulas, cells without a value in openpyxl.

A merged cell stores its value in its first row only, and an uncalculated formula has no value. Both
look like empty cells, and an empty cell in an opt-out column means "not opted out".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from openpyxl.utils.cell import column_index_from_string

from koinonia.member_import.table import MAX_COLUMNS

NOT_CALCULATED = "#FORMULA!"
ERROR_VALUES = frozenset(
    ["#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!", "#spill!", "#calc!",
     NOT_CALCULATED.casefold()]
)  # fmt: skip
"""Values of failed formulas in spreadsheets."""
# The patterns exclude "<" inside tags, so that the time for a hostile sheet is linear in its size.
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})[\"']"
)
_WITHOUT_VALUE = re.compile(
    rb"<(?:\w+:)?c(\s[^<>]*)?>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_TEXT = re.compile(rb"\bt=[\"']str[\"']")
_MAX_MERGES = 20_000


class TooManyMergesError(ValueError):
    """The sheet has more than ``_MAX_MERGES`` merged cells."""


class FormulaWithoutReferenceError(ValueError):
    """A formula without a value has no cell reference."""


@dataclass(slots=True)
class SheetCells:
    """Merged cells and uncalculated formulas. Rows and columns count from 1."""

    merges: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """Maps the first row to (column, last row)."""
    not_calculated: dict[int, list[int]] = field(default_factory=dict)
    """Maps a row to columns."""
    _open: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Maps a column to the last row of its merged cell and the value."""

    def complete(self, row: int, cells: list[str]) -> None:
        """Fill in missing values of ``cells``, the cells of ``row``. Call it for each row in order."""
        for column in self.not_calculated.get(row, ()):
            _put(cells, column, NOT_CALCULATED)
        for column, (last, value) in list(self._open.items()):
            if row > last:
                del self._open[column]
            else:
                _put(cells, column, value)
        for column, last in self.merges.get(row, ()):
            if column <= len(cells) and cells[column - 1].strip():
                self._open[column] = (last, cells[column - 1])


def cells_of(sheet_xml: bytes) -> SheetCells:
    """Parse the markup of a sheet. Raise TooManyMergesError or FormulaWithoutReferenceError."""
    found = SheetCells()
    merges = _MERGED.finditer(sheet_xml) if b"mergeCell" in sheet_xml else ()
    for number, merge in enumerate(merges):
        if number >= _MAX_MERGES:
            raise TooManyMergesError
        first, last = int(merge[2]), int(merge[3])
        if last > first:
            found.merges.setdefault(first, []).append((_column(merge[1]), last))
    if not _FORMULA.search(sheet_xml):
        return found
    for cell in _WITHOUT_VALUE.finditer(sheet_xml):
        if _TEXT.search(cell[1] or b""):
            continue  # The result is an empty string.
        reference = _REFERENCE.search(cell[1] or b"")
        if not reference:
            raise FormulaWithoutReferenceError
        found.not_calculated.setdefault(int(reference[2]), []).append(_column(reference[1]))
    return found


def _column(letters: bytes) -> int:
    return column_index_from_string(letters.decode("ascii"))


def _put(cells: list[str], column: int, value: str) -> None:
    if column > MAX_COLUMNS:
        return
    cells += [""] * (column - len(cells))
    if not cells[column - 1].strip():
        cells[column - 1] = value
