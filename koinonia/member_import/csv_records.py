"""Splitting of CSV text into records with line numbers.

A record ends at the line where its quotes match, after any number of lines. If they never match, its
lines are reported and skipped: a line inside a broken record must never become a person.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from koinonia.member_import.decoding import is_undecodable
from koinonia.member_import.table import MAX_CHARACTERS_OF_A_CELL, Record

_LINE_END = re.compile(r"\r\n|\n|\r")
_LOOK_AHEAD = 100
"""Lines after an unmatched quote that are searched for its closing quote."""
_MIN_DIGITS = 7
"""Digits of a cell with a phone number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a complete record, from the column names."""

    width: int
    phones: frozenset[int]
    """Indices of the columns with phone numbers."""


class Lines:
    """The lines of a file, which can be split repeatedly with different delimiters."""

    def __init__(self, text: str) -> None:
        self._lines = _LINE_END.split(text)
        self._odd = [at for at, line in enumerate(self._lines) if line.count('"') % 2]
        """Indices of lines that open or close a quoted cell across lines."""

    def first(self) -> str:
        return self._lines[0]

    def records(
        self, delimiter: str, *, start: int = 0, shape: Shape | None = None
    ) -> Iterator[Record]:
        """Yield the records from line ``start`` (from 0), without empty lines.

        With a ``shape``, also report short records right above a line that closes an unopened cell:
        they can be lines of that cell.
        """
        short: list[Record] = []
        for record, closes in self._records(delimiter, start, shape):
            if closes and short:
                yield Record(short[0].line, [], _mismatch(short[0].line, short[-1].line))
                short = []
            elif shape and not record.error and len(record.cells) < shape.width:
                short.append(record)
                if len(short) > _LOOK_AHEAD:
                    yield short.pop(0)
                continue
            yield from short
            short = []
            yield record
        yield from short

    def _records(
        self, delimiter: str, start: int, shape: Shape | None
    ) -> Iterator[tuple[Record, bool]]:
        """Yield each record, and True if it is broken and can close a cell that began above."""
        blanks = delimiter + ", \t"
        at = start
        while at < len(self._lines):
            line = self._lines[at]
            if not line.strip(blanks):
                # Spreadsheets can end a file with a million empty lines.
                at += 1
                continue
            closes = False
            if '"' in line:
                last, record = self._quoted(at, delimiter, shape)
                closes = bool(record.error) and self._may_close(at, delimiter)
            else:
                last, record = at, Record(at + 1, line.split(delimiter))
            if not record.error and any(map(is_undecodable, self._lines[at : last + 1])):
                record = Record(at + 1, [], str(_UNDECODABLE))
            if record.error or any(cell.strip() for cell in record.cells):
                yield record, closes
            at = last + 1

    def _quoted(self, at: int, delimiter: str, shape: Shape | None) -> tuple[int, Record]:
        """Return the last line of the record that starts in line ``at``, and the record."""
        last = self._last_line(at)
        if last is not None:
            lines = self._lines[at : last + 1]
            if (cells := _well_formed(lines, delimiter)) is not None:
                return last, Record(at + 1, cells)
            if any(len(line) > MAX_CHARACTERS_OF_A_CELL for line in lines):
                return last, Record(at + 1, [], _("A cell is too long to be read."))
        if shape and last == at:
            last = self._closing_line(at, delimiter)
        elif shape and self._stands_alone(at, delimiter, shape):
            last = at
        elif last is None:
            last = len(self._lines) - 1
        return last, Record(at + 1, [], _mismatch(at + 1, last + 1))

    def _last_line(self, at: int) -> int | None:
        """Return the last line of the record from line ``at``; None if its quotes never match."""
        index = bisect_right(self._odd, at)
        if not (index and self._odd[index - 1] == at):
            return at
        return self._odd[index] if index < len(self._odd) else None

    def _stands_alone(self, at: int, delimiter: str, shape: Shape) -> bool:
        """Return True if the unmatched quote of line ``at`` is a typo within this line.

        The line must be complete without its quotes, and no line close below can end a quoted cell.
        Also, the quote must be before the phone number (a cell across lines would contain all
        following cells of the record), or inside a cell with only complete records below.
        """
        cells = self._lines[at].split(delimiter)
        if len(cells) != shape.width or self._closing_line(at, delimiter) != at:
            return False
        opened = next(index for index, cell in enumerate(cells) if '"' in cell)
        if any(
            column > opened and _digits(cells[column]) >= _MIN_DIGITS for column in shape.phones
        ):
            return True
        within_a_cell = not cells[opened].lstrip().startswith('"')
        return within_a_cell and all(
            len(cells) == shape.width for _, cells in self._whole_below(at, delimiter) if cells
        )

    def _closing_line(self, at: int, delimiter: str) -> int:
        """Return the line close below ``at`` that can end a cell opened in line ``at``; else ``at``."""
        broken = next((line for line, cells in self._whole_below(at, delimiter) if not cells), at)
        return broken if broken > at and self._may_close(broken, delimiter) else at

    def _whole_below(self, at: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the records below line ``at``, up to the look-ahead or the first broken record.

        A broken record has no cells.
        """
        here = at + 1
        while here < min(at + 1 + _LOOK_AHEAD, len(self._lines)):
            line = self._lines[here]
            last: int | None = here
            if '"' not in line:
                if line.strip():
                    yield here, line.split(delimiter)
            else:
                last = self._last_line(here)
                lines = [] if last is None else self._lines[here : last + 1]
                cells = _well_formed(lines, delimiter) if lines else None
                yield here, cells or []
                if not cells:
                    return
            here = (here if last is None else last) + 1

    def _may_close(self, at: int, delimiter: str) -> bool:
        """Return True if a quoted cell from above can end in line ``at``. Then the line's first
        quote does not open a cell."""
        before, _, after = self._lines[at].partition('"')
        opens = not before.rpartition(delimiter)[2].strip() and bool(after.strip())
        return not opens or after.startswith(delimiter)


def _well_formed(lines: list[str], delimiter: str) -> list[str] | None:
    """Return the cells if ``lines`` are one record by RFC 4180, else None.

    Ignore blanks before a quoted cell, which hand-written files have: ``Ann, "Lee, Jr."``.
    """
    reader = csv.reader(
        (f"{line}\n" for line in lines),
        strict=True,
        delimiter=delimiter,
        skipinitialspace=delimiter != " ",
    )
    try:
        cells = next(reader, [])
    except csv.Error:
        return None
    return cells if reader.line_num == len(lines) else None


def _digits(cell: str) -> int:
    return sum(letter.isdigit() for letter in cell)


_UNDECODABLE = gettext_lazy(
    "This line is not in UTF-8, as the rest of the file is. Save the file as CSV UTF-8."
)


def _mismatch(first: int, last: int) -> str:
    sentence = _("The quotes of this line do not match.")
    if last == first:
        return sentence
    more = _("Lines %(first)s to %(last)s are left out. Correct them and import them again.")
    return f"{sentence} {more % {'first': first, 'last': last}}"
