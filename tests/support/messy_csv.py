"""A generated member list of 5,000 people with typical errors, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable

_FIRST = (
    "Anna", "Zoë", "José", "Ólafur", "Chloé", "Jürgen", "Łukasz", "Nuño", "Siân", "Þóra", "Renée",
    "Michał", "Søren", "Françoise", "李", "Ирина", "Μαρία", "Ben", "Ruth", "Samuel",
)  # fmt: skip
_LAST = (
    "O'Connor", 'Smith "Smitty"', "García, Jr.", "Müller-Lüdenscheidt", "Nguyễn", "de la Cruz",
    "van den Berg", "St. John", "Ångström", "Brown", "",
)  # fmt: skip
_GROUPS = ("", "Choir", "Choir;Youth", "Frauenkreis; Jugend", "Café Team", "Youth;;Choir")
_AREA_CODES = (212, 305, 312, 404, 415, 512, 602, 617, 702, 720, 773, 808, 907, 919, 972)
_FOREIGN = ("+4915112{:06d}", "+44791112{:04d}", "+336123{:05d}", "+6141234{:04d}")
_FOREIGN_EVERY, _BROKEN_EVERY, _DOUBLE_EVERY, _CP1252_EVERY, _NEWLINE_EVERY = 41, 53, 37, 29, 61
_FORMS: tuple[Callable[[int, int, int], str], ...] = (
    lambda area, middle, last: f"+1{area}{middle:03d}{last:04d}",
    lambda area, middle, last: f"({area}) {middle:03d}-{last:04d}",
    lambda area, middle, last: f"{area}.{middle:03d}.{last:04d}",
    lambda area, middle, last: f"1-{area}-{middle:03d}-{last:04d}",
    lambda area, middle, last: f" {area} {middle:03d} {last:04d} ",
)
_BROKEN: tuple[bytes, ...] = (
    b"Nobody,Known,not a number,Choir",
    b"Too,Few",
    b'"Never closed,Brown,+13125550100,Choir',
    b",No First Name,+12125550123,",
    b"Too,Many,+12125550123,Choir,what,else",
    b"Nul\x00Byte,Brown,+12125550123,",
    b"Neither\x81Encoding,Brown,+12125550123,",
    b"Short,Number,911,",
    b'Text"after,"quotes" go on,+12125550123,',
)


class MessyCsv:
    """The file ``content`` and the expected result of its import into an American church."""

    def __init__(self, people: int, seed: int = 2026) -> None:
        self._random = random.Random(seed)
        self._lines = 1
        self._rows = [b"\xef\xbb\xbfFirst Name,LAST_NAME,phone,groups"]
        self.valid_people = people
        self.broken_lines: list[int] = []
        """Unusable lines, from 1: typos, and rows in another encoding."""
        self.doubles = 0
        """Rows that repeat an earlier row and create no member."""
        for number in range(people):
            self._add_person(number)

    @property
    def content(self) -> bytes:
        return b"\r\n".join(self._rows) + b"\r\n"

    def _add_person(self, number: int) -> None:
        row, is_read = self._person(number)
        self._add(row)
        if not is_read:
            self.valid_people -= 1
            self.broken_lines.append(self._lines - row.count(b"\n"))
        if number % _BROKEN_EVERY == 0:
            self.broken_lines.append(self._lines + 1)
            self._add(_BROKEN[number // _BROKEN_EVERY % len(_BROKEN)])
        if number % _DOUBLE_EVERY == 0:
            self._add(row)
            if is_read:
                self.doubles += 1
            else:
                self.broken_lines.append(self._lines - row.count(b"\n"))
        if number % 97 == 0:
            self._add(b"")

    def _add(self, row: bytes) -> None:
        self._rows.append(row)
        self._lines += 1 + row.count(b"\n")

    def _person(self, number: int) -> tuple[bytes, bool]:
        """Return the row, and True if it is in the encoding of the file."""
        first = self._random.choice(_FIRST)
        last = self._random.choice(_LAST)
        if number % _NEWLINE_EVERY == 0:
            last += "\nSenior"
        cells = [first, last, self._phone(number), self._random.choice(_GROUPS)]
        row = ",".join(_quoted(cell) for cell in cells)
        if number % _CP1252_EVERY == 0 and not row.isascii():
            try:
                return row.encode("cp1252"), False
            except UnicodeEncodeError:
                pass  # Some names do not exist in this encoding.
        return row.encode(), True

    def _phone(self, number: int) -> str:
        """Return a unique number without a special meaning in the simulator."""
        if number % _FOREIGN_EVERY == 0:
            at = number // _FOREIGN_EVERY
            return _FOREIGN[at % len(_FOREIGN)].format(at)
        area = _AREA_CODES[number % len(_AREA_CODES)]
        return _FORMS[number % len(_FORMS)](area, 220 + number // 5000, 1000 + number % 5000)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell
