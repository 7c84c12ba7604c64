"""A CSV file, as people's programs write it, cut into records that know their line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(rb"\r\n|\n|\r")
_LONGEST_RECORD = 10
"""Lines that a quoted field may span; a quote that is never closed must not swallow the file."""


class UnusableFileError(ValueError):
    """Nothing of the file can be used. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    """Where it starts, from 1."""
    cells: list[str]
    error: str = ""


def records(content: bytes) -> Iterator[Record]:
    """The records of UTF-8 (with or without BOM) or Windows-1252; empty lines are left out.

    Each line is read in the encoding that fits it, so that one bad line spoils nothing else.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnusableFileError("The file is UTF-16. Save it as CSV in UTF-8 or Windows-1252.")
    lines = [_decoded(line) for line in _LINE.split(content.removeprefix(b"\xef\xbb\xbf"))]
    at = 0
    while at < len(lines):
        if _is_empty(lines[at]):
            at += 1
            continue
        span, record = _record(lines, at)
        if record.error or any(cell.strip() for cell in record.cells):
            yield record
        at += span


def _is_empty(line: str | None) -> bool:
    """So spreadsheets end their files, by the million at times: too many for a reader each."""
    return line is not None and not line.strip(", \t")


def _decoded(line: bytes) -> str | None:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _record(lines: list[str | None], at: int) -> tuple[int, Record]:
    """How many lines it takes, and the record that starts at ``at``."""
    if lines[at] is None:
        return 1, Record(at + 1, [], "This line is neither UTF-8 nor Windows-1252.")
    for span in range(1, _LONGEST_RECORD + 1):
        text = [line for line in lines[at : at + span] if line is not None]
        if len(text) < span:
            break
        if (cells := _parsed(text)) is not None:
            return span, Record(at + 1, cells)
    return 1, Record(at + 1, [], "The quotes of this line do not match.")


def _parsed(text: list[str]) -> list[str] | None:
    """The cells, where these lines are one well-formed record."""
    reader = csv.reader((f"{line}\n" for line in text), strict=True)
    try:
        cells = next(reader, [])
        return cells if reader.line_num == len(text) else None
    except csv.Error:
        return None
