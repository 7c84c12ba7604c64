"""A file of people as records below column names, independent of its format, and its limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from koinonia.member_import.columns import Columns

MAX_FILE_BYTES = 5 * 2**20
"""Bytes."""
MAX_ROWS = 50_000
MAX_COLUMNS = 300
MAX_CHARACTERS_OF_A_CELL = 131_072
"""The limit of the standard library's ``csv``."""
MAX_NAME_LENGTH = 100
"""Characters: the column width for names of people and groups."""
MAX_PEOPLE_OF_A_NUMBER = 50
MAX_GROUPS_OF_A_PERSON = 50
MAX_GROUPS_OF_A_FILE = 500
MAX_GROUPS_OF_A_CHURCH = 1_000
MAX_GROUP_ENTRIES_OF_A_FILE = 200_000
"""Pairs of a person and a group."""
MAX_REMARKS = 5_000
"""Lines of a report."""
MAX_UNPACKED_BYTES = 40 * 2**20
"""Bytes of an unpacked workbook. Its shared strings can take at most a quarter."""
MAX_INFLATION = 40
"""Unpacked bytes per byte of a workbook. Real sheets of people reach ten (20,000 openpyxl rows)."""
ALWAYS_UNPACKED = 4 * 2**20
"""Unpacked bytes that a small workbook can always have."""
MAX_SHEET_ROWS = 200_000
"""Rows of a sheet, including empty rows."""
NO_HEADER = 0
"""The line of the header in a file whose first line is a person."""


Remark = tuple[int, str]
"""Line in the file, from 1, and a sentence about the line."""


class UnusableFileError(ValueError):
    """The whole file is unusable. The message is a sentence for users."""

    field = "file"
    """The name of the field in the API's error."""


class NoHeaderError(UnusableFileError):
    """The file has no line with the names of the needed columns."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line
        """The line that a person could choose as the header."""


class UnknownEncodingError(UnusableFileError):
    """The file does not declare its encoding, and the user has to choose one."""

    field = "encoding"


@dataclass(frozen=True, slots=True)
class Mapping:
    """The choice of a person for the columns of a file."""

    line: int
    """The line of the header; ``NO_HEADER``: the first line holds a person already."""
    columns: dict[int, str] = field(default_factory=dict)
    """Index of a column -> the header that it has for the import; "" ignores the column."""
    unfinished: bool = False
    """Read the columns even if name or number is missing: a person is still choosing."""


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    """The first line, row or card of the record, from 1."""
    cells: list[str]
    error: str = ""
    """The reason, if the record is unreadable and has no cells."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: Columns
    records: Iterable[Record]
    """The records below the column names; can be iterated once."""
    remarks: list[Remark] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Ignored parts of the file, such as other sheets."""
    header: list[str] = field(default_factory=list)
    """The cells of the header; empty for vCards."""
    header_line: int = 0
    all_opted_out: bool = False
    """True if the name of the sheet says that all its people have opted out."""
