"""Excel workbooks (.xlsx), read row by row."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import load_workbook

from koinonia.member_import.columns import columns_of, shown
from koinonia.member_import.consent import Consent
from koinonia.member_import.consent_in_words import consent_of_title
from koinonia.member_import.header_row import find_header, not_found
from koinonia.member_import.sheet_cells import cells_of
from koinonia.member_import.table import (
    ALWAYS_UNPACKED,
    MAX_COLUMNS,
    MAX_INFLATION,
    MAX_SHEET_ROWS,
    MAX_UNPACKED_BYTES,
    Mapping,
    Record,
    Table,
    UnusableFileError,
)

_SHARED_STRINGS = "xl/sharedStrings.xml"
_MAX_DIGITS = 15
"""The precision of numbers in Excel."""
_MAX_SHEETS = 50

# openpyxl warns about styles and extensions that it ignores. This module reads values only.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\..*")


def read_workbook(content: bytes, mapping: Mapping | None = None) -> Table:
    """Return the first sheet with usable column names; visible sheets come first.

    Raise UnusableFileError if no sheet is usable or the workbook cannot be read.
    """
    _check_size(content)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        return _table(book.worksheets[:_MAX_SHEETS], mapping)
    except UnusableFileError:
        raise
    except Exception as error:  # openpyxl's parsers raise many types for damaged files
        raise UnusableFileError(str(_UNREADABLE)) from error


_UNREADABLE = gettext_lazy(
    "The workbook cannot be read. Open it in Excel, save it again as .xlsx and send that."
)


def _check_size(content: bytes) -> None:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    most = min(MAX_UNPACKED_BYTES, max(ALWAYS_UNPACKED, MAX_INFLATION * len(content)))
    strings = sizes.get(_SHARED_STRINGS, 0)
    if sum(sizes.values()) > most or strings > MAX_UNPACKED_BYTES // 4:
        sentence = _(
            "The workbook holds more than %(most)s MB when it is unpacked. Save only the list of people,"
            " without pictures and formats, as CSV UTF-8."
        )
        raise UnusableFileError(sentence % {"most": most // 2**20})


def _table(sheets: list[Any], mapping: Mapping | None) -> Table:
    # Typed as Any: the stubs do not know read-only sheets.
    by_visibility = sorted(sheets, key=lambda sheet: sheet.sheet_state != "visible")
    for sheet in by_visibility:
        found = find_header(_records(sheet), mapping)
        if not found:
            continue
        others = [
            _("sheet %(name)r") % {"name": shown(other.title)}
            for other in sheets
            if other is not sheet
        ]
        remarks = found.remarks
        if sheet.sheet_state != "visible":
            sentence = _("The sheet %(name)r is hidden in the workbook.")
            remarks = [(1, sentence % {"name": shown(sheet.title)}), *remarks]
        _check_left_out([other.title for other in sheets if other is not sheet], sheet.title)
        all_opted_out = consent_of_title(sheet.title) is Consent.OUT
        return Table(
            found.columns, found.below, remarks, others,
            header=found.cells, header_line=found.line, all_opted_out=all_opted_out,
        )  # fmt: skip
    first = next((record for sheet in by_visibility for record in _records(sheet)), None)
    raise not_found(columns_of(first.cells if first else []), first.line if first else 1)


def _check_left_out(titles: list[str], taken: str) -> None:
    """Raise UnusableFileError if an ignored sheet lists opted-out people."""
    for title in titles:
        if consent_of_title(title) is not Consent.NOTHING:
            sentence = _(
                "The sheet %(name)r seems to list people who said no to texts, and only the sheet"
                " %(taken)r would be read. Save that list as a file of its own, named"
                " unsubscribed.xlsx, import it first, and delete the sheet here."
            )
            raise UnusableFileError(sentence % {"name": shown(title), "taken": shown(taken)})


def _records(sheet: Any) -> Iterator[Record]:
    try:
        yield from _rows(sheet)
    except Exception as error:  # The same: openpyxl parses rows lazily.
        raise UnusableFileError(str(_UNREADABLE)) from error


def _rows(sheet: Any) -> Iterator[Record]:
    # A wrong size in the file would hide rows without an error.
    sheet.reset_dimensions()
    with sheet._get_source() as source:
        beside = cells_of(source.read())
    rows = sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True)
    for line, row in enumerate(islice(rows, MAX_SHEET_ROWS), 1):
        cells = [_text(value) for value in row]
        beside.complete(line, cells)
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield Record(line, cells)


def _text(value: Any) -> str:
    """Return a cell as text, a number with all its digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value != int(value):
        return repr(value)
    digits = f"{value:.0f}"
    # Excel has lost digits beyond this precision. Use its exponent notation: the import rejects it.
    return digits if len(digits.lstrip("-")) <= _MAX_DIGITS else f"{value:.5E}"
