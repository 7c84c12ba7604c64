"""How much one file may hold. Each bound is answered by a sentence when it is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from koinonia.member_import.columns import Columns

LARGEST_FILE = 5 * 2**20
"""Bytes."""
MOST_ROWS = 50_000
MOST_COLUMNS = 300
MOST_CHARACTERS_OF_A_CELL = 131_072
"""The limit of the standard library's ``csv``."""
LONGEST_NAME = 100
"""Characters: the width of the columns for names of people and groups."""
MOST_PEOPLE_OF_A_NUMBER = 50
MOST_GROUPS_OF_A_PERSON = 50
MOST_GROUPS_OF_A_FILE = 500
MOST_GROUPS_OF_A_CHURCH = 1_000
MOST_MEMBERSHIPS_OF_A_FILE = 200_000
"""People times their groups."""
MOST_REMARKS = 5_000
"""Lines of a report."""
LARGEST_UNPACKED = 40 * 2**20
"""Bytes of an unpacked workbook; its shared strings alone may take a quarter."""
MOST_INFLATION = 40
"""Unpacked bytes for each byte of a workbook. Sheets of people reach ten (20,000 rows of openpyxl)."""
ALWAYS_UNPACKED = 4 * 2**20
"""Bytes that even a small workbook may unpack to."""
MOST_SHEET_ROWS = 200_000
"""Rows of a sheet, empty ones included."""


Remark = tuple[int, str]
"""Line in the file, from 1, and a sentence about it."""


class UnusableFileError(ValueError):
    """Nothing of the file can be used. The message is a sentence for people."""

    field = "file"
    """The name under which the API reports it."""


class UnknownEncodingError(UnusableFileError):
    """The file does not say its encoding, and a person must choose it."""

    field = "encoding"


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    """The line, row or card where it starts, from 1."""
    cells: list[str]
    error: str = ""
    """Why it cannot be read; then it has no cells."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: Columns
    records: Iterable[Record]
    """Those below the column names; may be read once."""
    remarks: list[Remark] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Parts of the file that are not read, such as other sheets."""
    all_opted_out: bool = False
    """The name of the sheet says so of all its people."""
