"""CSV files with the delimiter `,`, `;`, tab or `|`, or the delimiter of a `sep=` line.

The module does not use ``csv.Sniffer``, which can choose a letter and takes minutes for some files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

from koinonia.member_import.columns import Columns, columns_of, names_something
from koinonia.member_import.csv_records import Lines, Shape
from koinonia.member_import.header_row import MOST_HEADER_LINES, find_header, not_found
from koinonia.member_import.table import Mapping, Record, Table, UnusableFileError

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[,;\t|]*", re.IGNORECASE)
_SAMPLED_RECORDS = 200
"""Records from the start of a file that each delimiter is tested with."""


@dataclass(frozen=True, order=True)
class _Fit:
    """The fit of a delimiter. Instances compare field by field."""

    is_usable: bool
    full_rows: int
    width: int
    preference: int
    """Commas win a tie."""


def read_csv(text: str, mapping: Mapping | None = None) -> Table:
    """Return the table in ``text``. Raise UnusableFileError if no line names the columns."""
    lines = Lines(text)
    start = 0
    named = _SEPARATOR_LINE.fullmatch(lines.first().strip(" "))
    if named:
        delimiter, start = named[1], 1
        if delimiter in '"\r\n' or delimiter.isalnum():
            sentence = _("The first line names %(sign)r as the separator.")
            raise UnusableFileError(sentence % {"sign": delimiter})
    else:
        delimiter = max(_DELIMITERS, key=lambda candidate: _fit(lines, candidate, mapping))
    sampled = islice(lines.records(delimiter, start=start), _SAMPLED_RECORDS)
    found = find_header(sampled, mapping)
    if not found:
        raise not_found(*_best(lines, delimiter, start))
    shape = Shape(found.columns.width, found.columns.phone_columns)
    records = lines.records(delimiter, start=start, shape=shape)
    below = (record for record in records if record.line > found.line)
    return Table(found.columns, below, found.remarks, header=found.cells, header_line=found.line)


def _fit(lines: Lines, delimiter: str, mapping: Mapping | None) -> _Fit:
    records = list(islice(lines.records(delimiter), _SAMPLED_RECORDS))
    preference = -_DELIMITERS.index(delimiter)
    try:
        found = find_header(records, mapping)
    except UnusableFileError:
        return _Fit(True, len(records), 0, preference)
    whole = [record for record in records if not record.error]
    if not whole:
        return _Fit(False, 0, 0, preference)
    header = next((record for record in whole if found and record.line == found.line), whole[0])
    width = len(header.cells)
    full = sum(len(record.cells) == width for record in whole)
    return _Fit(found is not None, full if width > 1 else 0, width, preference)


def _best(lines: Lines, delimiter: str, start: int) -> tuple[Columns, int]:
    """Return the columns of the first line that names any, and the line, for the error sentence."""
    first: Record | None = None
    for record in islice(lines.records(delimiter, start=start), MOST_HEADER_LINES):
        first = first or record
        if any(names_something(record.cells)):
            return columns_of(record.cells), record.line
    return columns_of(first.cells if first else []), first.line if first else 1
