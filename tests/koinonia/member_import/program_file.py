"""The export of a program, rebuilt with its column names and invented people, numbers and values."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO

ANN = "+13125550101"
BEN = "+13125550102"
ZOE = "+13125550103"
TOM = "+13125550104"


@dataclass(frozen=True)
class Expected:
    name: str
    phone: str
    groups: tuple[str, ...] = ()
    opted_out: bool = False


@dataclass(frozen=True)
class ProgramFile:
    program: str
    header: str
    """The header line, with the program's delimiter."""
    rows: tuple[dict[str, str], ...]
    """Maps columns to values; further columns are empty."""
    people: tuple[Expected, ...]
    remarks: tuple[tuple[int, str], ...] = ()
    """Maps a line to a part of its remark in the report."""
    ignored: tuple[str, ...] = ()
    """Some columns that the report lists as ignored."""
    delimiter: str = ","

    @property
    def content(self) -> bytes:
        columns = self.header.split(self.delimiter)
        text = StringIO(newline="")
        writer = csv.DictWriter(text, columns, delimiter=self.delimiter)
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue().encode()
