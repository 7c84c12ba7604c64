"""The header row: usually the first record, sometimes below a title."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from django.utils.translation import gettext as _

from koinonia.member_import.columns import Columns, columns_of, names_something
from koinonia.member_import.table import (
    MAX_COLUMNS,
    NO_HEADER,
    Mapping,
    NoHeaderError,
    Record,
    Remark,
    UnusableFileError,
)

MOST_HEADER_LINES = 50
"""Lines with cells from the start of a file that can be the header. Reports print a page of titles."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file, and the records below it."""

    columns: Columns
    remarks: list[Remark]
    below: Iterator[Record]
    line: int
    cells: list[str]


def find_header(records: Iterable[Record], mapping: Mapping | None = None) -> Header | None:
    """Return the columns of the first usable header row and the records below it.

    With ``mapping``, the header is on the line that a person chose.
    """
    left = iter(records)
    if mapping:
        return _chosen(left, mapping)
    above: list[Record] = []
    for record in left:
        if record.error or len(record.cells) > MAX_COLUMNS:
            if len(record.cells) > MAX_COLUMNS and all(names_something(record.cells)):
                sentence = _("The file has more than %(most)s columns. Export fewer of them.")
                raise UnusableFileError(sentence % {"most": MAX_COLUMNS})
        elif all(names_something(record.cells)):
            columns = columns_of(record.cells)
            if columns.is_usable:
                sentence = _("This line stands above the names of the columns; it is not read.")
                remarks = [(title.line, sentence) for title in above]
                return Header(_checked(columns), remarks, left, record.line, record.cells)
        above.append(record)
        if len(above) >= MOST_HEADER_LINES:
            break
    return None


def _chosen(records: Iterator[Record], mapping: Mapping) -> Header | None:
    if mapping.line == NO_HEADER:
        return _without_header(records, mapping)
    for record in islice(records, MOST_HEADER_LINES):
        if record.line == mapping.line and not record.error and len(record.cells) <= MAX_COLUMNS:
            columns = columns_of(record.cells, mapping.columns)
            if columns.is_usable or mapping.unfinished:
                return Header(columns, [], records, record.line, record.cells)
    return None


def _without_header(records: Iterator[Record], mapping: Mapping) -> Header | None:
    """Number the columns, and let the first line be a person."""
    first = list(islice(records, MOST_HEADER_LINES))
    width = max((len(record.cells) for record in first if not record.error), default=0)
    cells = [_("Column %(number)s") % {"number": at + 1} for at in range(min(width, MAX_COLUMNS))]
    columns = columns_of(cells, mapping.columns)
    if not columns.is_usable and not mapping.unfinished:
        return None
    return Header(columns, [], chain(first, records), NO_HEADER, cells)


def not_found(columns: Columns, line: int) -> NoHeaderError:
    """Return the error for a file without a usable header; ``columns`` is its best line."""
    named = ", ".join(name for name in columns.ignored[:12] if name)
    sentence = _("One of the first %(most)s lines must name the columns. Missing: %(missing)s.")
    sentence %= {"most": MOST_HEADER_LINES, "missing": columns.missing() or "first_name, phone"}
    if named:
        sentence += " " + _("Its first line holds: %(names)s.") % {"names": named}
    return NoHeaderError(sentence, line)


def _checked(columns: Columns) -> Columns:
    if columns.duplicates:
        sentence = _("Columns that come twice: %(names)s. Keep one, or rename the other.")
        raise UnusableFileError(sentence % {"names": ", ".join(columns.duplicates)})
    return columns
