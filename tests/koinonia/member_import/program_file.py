"""A file as a program exports it, rebuilt with made-up people.

The column names are those of the programs; the people, numbers and values are invented.
"""

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
    """With the program's own delimiter."""
    rows: tuple[dict[str, str], ...]
    """Column to value; the others are empty."""
    people: tuple[Expected, ...]
    told: tuple[tuple[int, str], ...] = ()
    """Line and a part of what the report says of it."""
    ignored: tuple[str, ...] = ()
    """Some of the columns that the report names as ignored."""
    delimiter: str = ","

    @property
    def content(self) -> bytes:
        columns = self.header.split(self.delimiter)
        text = StringIO(newline="")
        writer = csv.DictWriter(text, columns, delimiter=self.delimiter)
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue().encode()
