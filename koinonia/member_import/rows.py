"""From records to people: which column is what, and what is wrong with a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from koinonia import phone
from koinonia.member_import.records import Record, UnusableFileError

REQUIRED = ("first_name", "last_name", "phone")
COLUMNS = (*REQUIRED, "groups")
_LONGEST_NAME = 100


class BadRowError(ValueError):
    """This line cannot be used. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Person:
    first_name: str
    last_name: str
    phone: str
    groups: frozenset[str]


class Columns:
    """Where the header says that each value stands."""

    def __init__(self, header: Record) -> None:
        names = ["_".join(cell.lower().split()) for cell in header.cells]
        missing = [name for name in REQUIRED if name not in names]
        if header.error or missing:
            raise UnusableFileError(
                f"The first line must name the columns, separated by commas."
                f" Missing: {', '.join(missing or REQUIRED)}."
            )
        double = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
        if double:
            raise UnusableFileError(f"Columns that come twice: {', '.join(double)}.")
        self._at = {name: names.index(name) for name in COLUMNS if name in names}
        self._width = len(names)

    def person(self, record: Record, country: str) -> Person:
        """Raises BadRowError."""
        if record.error:
            raise BadRowError(record.error)
        if len(record.cells) != self._width:
            raise BadRowError(
                f"This line has {len(record.cells)} columns, the header {self._width}."
            )
        value = {name: _clean(record.cells[at], name) for name, at in self._at.items()}
        if not value["first_name"]:
            raise BadRowError("first_name: It is empty.")
        return Person(
            first_name=value["first_name"],
            last_name=value["last_name"],
            phone=_phone(value["phone"], country),
            groups=frozenset(
                _groups(record.cells[self._at["groups"]] if "groups" in self._at else "")
            ),
        )


def _clean(cell: str, name: str) -> str:
    text = " ".join(cell.split())
    if not text.isprintable():
        raise BadRowError(f"{name}: It holds characters that cannot be shown.")
    if name != "groups" and len(text) > _LONGEST_NAME:
        raise BadRowError(f"{name}: It is longer than {_LONGEST_NAME} characters.")
    return text


def _phone(text: str, country: str) -> str:
    if not text:
        raise BadRowError("phone: It is empty.")
    try:
        return phone.normalise(text, country)
    except phone.UnusableNumberError as error:
        raise BadRowError(f"phone: {error}") from None


def _groups(cell: str) -> Iterator[str]:
    for name in cell.split(";"):
        if text := " ".join(name.split()):
            if len(text) > _LONGEST_NAME:
                raise BadRowError(f"groups: A name is longer than {_LONGEST_NAME} characters.")
            yield text
