"""Reading a file without writing it."""

from __future__ import annotations

from koinonia.member_import.file import read_table
from koinonia.member_import.people import People, Row


def rows_of(content: bytes | str, country: str = "US", encoding: str = "") -> list[Row]:
    """Return the row of each record."""
    content = content.encode() if isinstance(content, str) else content
    table = read_table(content, encoding=encoding)
    people = People(table.columns, country)
    return [people.row(record) for record in table.records]


def people_in(content: bytes | str, **options: str) -> list[tuple[str, str, str]]:
    """Return first name, last name and number of all accepted people."""
    return [
        (row.person.first_name, row.person.last_name, row.person.phone)
        for row in rows_of(content, **options)
        if row.person
    ]


def remarks_in(content: bytes | str, **options: str) -> list[tuple[int, str]]:
    """Return line and sentence of all remarks."""
    return [(row.line, sentence) for row in rows_of(content, **options) for sentence in row.remarks]
