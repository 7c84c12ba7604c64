"""Text with delimiters, cut into records that know their line.

A record ends where its quotes are even, however many lines that takes. Where they never match, its
lines are left out and named: a line inside a broken record must never become a person.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from koinonia.member_import.decoding import is_undecodable
from koinonia.member_import.table import MOST_CHARACTERS_OF_A_CELL, Record

_LINE_END = re.compile(r"\r\n|\n|\r")
_LOOK_AHEAD = 100
"""Lines after a quote that seems to stand alone, in which another one may close it."""
_FEWEST_DIGITS = 7
"""Of a cell that holds a phone number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the column names say of a record that is whole."""

    width: int
    phones: frozenset[int]
    """Columns that hold phone numbers."""


class Lines:
    """The lines of a file, for one pass with a delimiter or several."""

    def __init__(self, text: str) -> None:
        self._lines = _LINE_END.split(text)
        self._odd = [at for at, line in enumerate(self._lines) if line.count('"') % 2]
        """Lines in which a quoted cell is left open, or closed."""

    def first(self) -> str:
        return self._lines[0]

    def records(
        self, delimiter: str, *, start: int = 0, shape: Shape | None = None
    ) -> Iterator[Record]:
        """Yield the records from line ``start`` (from 0); lines without any value are left out.

        With a ``shape``, short records right above a line that closes a cell which nothing opened
        are left out, too: they may be the lines of that cell.
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
        """Yield each record, and whether it is broken and may close a cell that began above."""
        blanks = delimiter + ", \t"
        at = start
        while at < len(self._lines):
            line = self._lines[at]
            if not line.strip(blanks):
                # Spreadsheets end their files so, by the million at times.
                at += 1
                continue
            closes = False
            if '"' in line:
                last, record = self._quoted(at, delimiter, shape)
                closes = bool(record.error) and self._may_close(at, delimiter)
            else:
                last, record = at, Record(at + 1, line.split(delimiter))
            if not record.error and any(map(is_undecodable, self._lines[at : last + 1])):
                record = Record(at + 1, [], _UNDECODABLE)
            if record.error or any(cell.strip() for cell in record.cells):
                yield record, closes
            at = last + 1

    def _quoted(self, at: int, delimiter: str, shape: Shape | None) -> tuple[int, Record]:
        """Return the last line of the record that starts at ``at``, and the record."""
        last = self._last_line(at)
        if last is not None:
            lines = self._lines[at : last + 1]
            if (cells := _well_formed(lines, delimiter)) is not None:
                return last, Record(at + 1, cells)
            if any(len(line) > MOST_CHARACTERS_OF_A_CELL for line in lines):
                return last, Record(at + 1, [], "A cell is too long to be read.")
        if shape and last == at:
            last = self._closing_line(at, delimiter)
        elif shape and self._stands_alone(at, delimiter, shape):
            last = at
        elif last is None:
            last = len(self._lines) - 1
        return last, Record(at + 1, [], _mismatch(at + 1, last + 1))

    def _last_line(self, at: int) -> int | None:
        """Return the first line from ``at`` up to which the quotes are even; None: there is none."""
        index = bisect_right(self._odd, at)
        if not (index and self._odd[index - 1] == at):
            return at
        return self._odd[index] if index < len(self._odd) else None

    def _stands_alone(self, at: int, delimiter: str, shape: Shape) -> bool:
        """Return whether the odd quote of line ``at`` is a slip within this one line.

        It is, where the line is whole without its quotes, nothing close by could be the other end
        of a quoted cell, and the quote opens before the phone number (a cell that goes on below
        would have to hold the whole rest of a record), or stands within a cell and all that
        follows is whole.
        """
        cells = self._lines[at].split(delimiter)
        if len(cells) != shape.width or self._closing_line(at, delimiter) != at:
            return False
        opened = next(index for index, cell in enumerate(cells) if '"' in cell)
        if any(
            column > opened and _digits(cells[column]) >= _FEWEST_DIGITS for column in shape.phones
        ):
            return True
        within_a_cell = not cells[opened].lstrip().startswith('"')
        return within_a_cell and all(
            len(cells) == shape.width for _, cells in self._whole_below(at, delimiter) if cells
        )

    def _closing_line(self, at: int, delimiter: str) -> int:
        """Return the line close below ``at`` that may close a cell opened in it; ``at``: none."""
        broken = next((line for line, cells in self._whole_below(at, delimiter) if not cells), at)
        return broken if broken > at and self._may_close(broken, delimiter) else at

    def _whole_below(self, at: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the records below line ``at``, up to the look-ahead or one that is broken, which has
        no cells."""
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
        """Return whether a quoted cell that was opened above could end in line ``at``: its first
        quote does not open a cell."""
        before, _, after = self._lines[at].partition('"')
        opens = not before.rpartition(delimiter)[2].strip() and bool(after.strip())
        return not opens or after.startswith(delimiter)


def _well_formed(lines: list[str], delimiter: str) -> list[str] | None:
    """Return the cells, where ``lines`` are one record by RFC 4180, else None. Blanks before a
    quoted cell are left out: ``Ann, "Lee, Jr."`` is written so by hand."""
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


_UNDECODABLE = "This line is not in UTF-8, as the rest of the file is. Save the file as CSV UTF-8."


def _mismatch(first: int, last: int) -> str:
    told = "The quotes of this line do not match."
    if last == first:
        return told
    return f"{told} Lines {first} to {last} are left out. Correct them and import them again."
