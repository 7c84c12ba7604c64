"""The meanings that a person can choose for a column, and the header that stands for each."""

from __future__ import annotations

from typing import Any

from koinonia.member_import.columns import Columns
from koinonia.member_import.consent import Meaning
from koinonia.member_import.table import MAX_COLUMNS, Mapping

IGNORED = "ignored"
HEADERS = {
    IGNORED: "",
    "first_name": "first name",
    "last_name": "last name",
    "full_name": "full name",
    "phone": "mobile phone",
    "second_phone": "home phone",
    "groups": "groups",
    "opted_out": "opted out",
    "may_text": "sms consent",
}
"""Meaning -> the header that the import takes in place of the file's own."""


def mapping_from(stored: dict[str, Any]) -> Mapping | None:
    """Return the mapping of stored JSON; None for empty JSON."""
    if not stored:
        return None
    columns = {int(at): HEADERS[meaning] for at, meaning in stored["columns"].items()}
    return Mapping(stored["line"], columns)


def chosen(given: dict[str, str], line: int) -> dict[str, Any]:
    """Return the JSON to store for the choices ``{"column-3": "phone"}``; others are left out."""
    columns = {}
    for at in range(MAX_COLUMNS):
        meaning = given.get(f"column-{at}")
        if meaning in HEADERS:
            columns[str(at)] = meaning
    return {"line": line, "columns": columns} if columns else {}


def meanings(columns: Columns) -> dict[int, str]:
    """Return the meaning of each recognised column by its index."""
    found: dict[int, str] = {}
    for meaning, several in (
        ("first_name", columns.first_names),
        ("last_name", [*columns.last_names, *columns.suffixes]),
        ("full_name", columns.full_names),
        ("phone", [*columns.mobiles, *columns.phones]),
        ("second_phone", columns.second_choice),
        ("groups", columns.groups),
        ("status", columns.departures),
        ("country", columns.phone_country),
    ):
        found |= {column.at: meaning for column in several}
    for numbered in columns.numbered:
        found |= {numbered.value: "phone", numbered.label: "kind_of_number"}
    for column, consent in columns.consents:
        if consent is not Meaning.HINT:
            found[column.at] = "opted_out" if consent in _OUT else "may_text"
    return found


_OUT = (Meaning.OUT, Meaning.OUT_BECAUSE)
