"""A file of people as records below column names, whatever its format was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from koinonia.member_import.columns import Columns

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
