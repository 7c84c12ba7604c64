"""What a sheet's cells say that a plain reading of their values misses.

A merged cell holds its value once, in its first row. A formula that no program has calculated has
no value at all. Both read as empty cells, and an empty cell in a column of opt-outs means no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from openpyxl.utils.cell import column_index_from_string

from koinonia.member_import.table import MOST_COLUMNS

NOT_CALCULATED = "#FORMULA!"
ERROR_VALUES = frozenset(
    ["#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!", "#spill!", "#calc!",
     NOT_CALCULATED.casefold()]
)  # fmt: skip
"""What a spreadsheet shows where a formula has failed."""
# No tag holds a "<": so the cost of a hostile sheet, too, is in proportion to its size.
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
_MOST_MERGES = 20_000


class TooManyMergesError(ValueError):
    """The sheet has more merged cells than are looked at."""


class FormulaWithoutPlaceError(ValueError):
    """A formula without a value does not say in which cell it stands."""


@dataclass(slots=True)
class SheetCells:
    """Rows and columns from 1."""

    merges: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """First row to (column, last row)."""
    not_calculated: dict[int, list[int]] = field(default_factory=dict)
    """Row to columns."""
    _open: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Column to the last row of its merged cell, and the value."""

    def complete(self, row: int, cells: list[str]) -> None:
        """Fill in what is missing in ``cells``, the cells of ``row``; rows come in their order."""
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
    """Return what the markup of a sheet says. Raise TooManyMergesError or FormulaWithoutPlaceError."""
    found = SheetCells()
    merges = _MERGED.finditer(sheet_xml) if b"mergeCell" in sheet_xml else ()
    for number, merge in enumerate(merges):
        if number >= _MOST_MERGES:
            raise TooManyMergesError
        first, last = int(merge[2]), int(merge[3])
        if last > first:
            found.merges.setdefault(first, []).append((_column(merge[1]), last))
    if not _FORMULA.search(sheet_xml):
        return found
    for cell in _WITHOUT_VALUE.finditer(sheet_xml):
        if _TEXT.search(cell[1] or b""):
            continue  # The result is an empty text.
        place = _REFERENCE.search(cell[1] or b"")
        if not place:
            raise FormulaWithoutPlaceError
        found.not_calculated.setdefault(int(place[2]), []).append(_column(place[1]))
    return found


def _column(letters: bytes) -> int:
    return column_index_from_string(letters.decode("ascii"))


def _put(cells: list[str], column: int, value: str) -> None:
    if column > MOST_COLUMNS:
        return
    cells += [""] * (column - len(cells))
    if not cells[column - 1].strip():
        cells[column - 1] = value
