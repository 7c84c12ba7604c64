"""Reading records as people: the person, the consent and the errors of each row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import phonenumbers
from django.utils.translation import gettext as _

from koinonia import phone
from koinonia.member_import import header_names as names
from koinonia.member_import.columns import Column, Columns, normalised, shown
from koinonia.member_import.consent import (
    UNAMBIGUOUS_OPT_OUTS,
    Consent,
    Meaning,
    Statement,
    is_opted_out,
    word_of,
)
from koinonia.member_import.consent_in_words import refusal_in_words, statement_in
from koinonia.member_import.consent_languages import answer_in_english
from koinonia.member_import.departed import UnknownDepartureError, death_in, departure
from koinonia.member_import.name_cells import (
    UnclearNameError,
    encoding_remark,
    names_in,
    split_full_name,
    without_suffix,
)
from koinonia.member_import.sheet_cells import ERROR_VALUES
from koinonia.member_import.table import MAX_GROUPS_OF_A_PERSON, MAX_NAME_LENGTH, Record
from koinonia.models.member import full_name
from koinonia.names import search_key, tidy
from koinonia.numbers import grouped


class BadRowError(ValueError):
    """The row is unusable. The message is a sentence for users."""


@dataclass(frozen=True, slots=True)
class Person:
    line: int
    first_name: str
    last_name: str
    phone: str
    groups: tuple[str, ...]
    """Names. A name with commas can be a list of known groups."""


@dataclass(slots=True)
class Row:
    """The content of one record."""

    line: int
    person: Person | None = None
    """The person; None for a rejected row or a departed person, with a reason in ``remarks``."""
    opted_out: bool = False
    phone: str = ""
    """The number, also for a rejected row, because its opt-out counts."""
    departed: bool = False
    empty_consents: list[str] = field(default_factory=list)
    """Headers of the consent columns that are empty in this row."""
    remarks: list[str] = field(default_factory=list)
    name: str = ""
    """The name as the file has it, of a row with a remark."""


class People:
    """Reads the rows of one file as people."""

    def __init__(self, columns: Columns, country: str, *, all_opted_out: bool = False) -> None:
        self._columns = columns
        self._country = country
        self._all_opted_out = all_opted_out
        self._named_width = columns.width
        self.filled_unnamed: set[int] = set()
        """Indices of unnamed columns with a value in any row."""

    def row(self, record: Record) -> Row:
        """Return the content of ``record``. Consent is read first and counts despite other errors."""
        row = Row(record.line, opted_out=self._all_opted_out)
        try:
            self._check(record)
            cells = record.cells
            self.filled_unnamed.update(
                at for at in self._columns.unnamed if _cell(cells, at).strip()
            )
            unclear = self._read_consent(cells, row)
            row.phone = self._phone(cells, row)
            sentence = departure(self._pairs(self._columns.departures, cells))
            if sentence := sentence or death_in(self._tags(cells), self._others(cells)):
                row.departed = True
                row.remarks.append(sentence)
            elif unclear:
                row.remarks += unclear
            else:
                row.person = self._person(cells, row)
        except (BadRowError, UnknownDepartureError) as error:
            row.remarks.append(str(error))
        if row.remarks:
            row.name = self._name_in(record.cells)
        return row

    def _name_in(self, cells: list[str]) -> str:
        """Return the name in ``cells`` for a remark about its person, also if it is unusable."""
        columns = self._columns
        first, last = (
            _first_filled(of_name, cells) for of_name in (columns.first_names, columns.last_names)
        )
        name = full_name(first, last) or _first_filled(columns.full_names, cells)
        return shown(name) if name else ""

    def _check(self, record: Record) -> None:
        if record.error:
            raise BadRowError(record.error)
        beyond = [cell for cell in record.cells[self._named_width :] if cell.strip()]
        if beyond:
            width = self._named_width + len(beyond)
            sentence = _(
                "This line has %(width)s columns, the header %(named)s. A comma within a value needs"
                " quotes around the value."
            )
            raise BadRowError(sentence % {"width": width, "named": self._named_width})
        if any("\x00" in cell for cell in record.cells):
            at = next(at for at, cell in enumerate(record.cells) if "\x00" in cell)
            sentence = _("%(column)s: It holds characters that cannot be shown.")
            raise BadRowError(sentence % {"column": self._header(at)})

    def _header(self, at: int) -> str:
        if at in {column.at for column in self._columns.first_names}:
            return "first_name"
        return _("column %(number)s") % {"number": at + 1}

    def _pairs(self, columns: list[Column], cells: list[str]) -> Iterator[tuple[str, str]]:
        return ((column.header, _cell(cells, column.at)) for column in columns)

    def _read_consent(self, cells: list[str], row: Row) -> list[str]:
        """Set ``row.opted_out``; return the reasons to reject the row because of unclear consent."""
        unclear: list[str] = []
        statements: list[Statement] = []
        for column, meaning in (*self._columns.consents, *self._answers_for_numbers(cells)):
            cell = _cell(cells, column.at)
            statement = statement_in(answer_in_english(cell, column.header), meaning)
            statements.append(statement)
            if statement.consent is Consent.UNKNOWN:
                unclear.append(_unclear_consent(column.header, cell, meaning))
            elif statement.consent is Consent.NEITHER:
                sentence = _(
                    "%(column)s: %(cell)r says neither yes nor no to texts. It is ignored."
                )
                row.remarks.append(sentence % {"column": column.header, "cell": shown(cell)})
            elif statement.consent is Consent.NOTHING and meaning is Meaning.MAY:
                row.empty_consents.append(column.header)
        statuses = self._pairs(self._columns.departures, cells)
        row.opted_out |= is_opted_out(statements) or any(
            word_of(cell) in UNAMBIGUOUS_OPT_OUTS for header, cell in statuses if _is_status(header)
        )
        self._read_remarks(cells, row)
        return unclear

    def _answers_for_numbers(self, cells: list[str]) -> Iterator[tuple[Column, Meaning]]:
        """Yield columns named SMS or "Text #" with a yes or no. Programs use this name for numbers and for consent."""
        for column in self._columns.mobiles:
            if _answers(column, _cell(cells, column.at)):
                yield column, Meaning.MAY

    def _read_remarks(self, cells: list[str], row: Row) -> None:
        """Set ``row.opted_out`` for a tag or a remark that refuses texts, and report it."""
        in_words = (
            (column.header, cell)
            for column in (*self._columns.mobiles, *self._columns.phones)
            if not phone.has_digits(cell := _cell(cells, column.at))
        )
        for header, cell in (*self._tags(cells), *self._others(cells), *in_words):
            if refusal := refusal_in_words(cell):
                row.opted_out = True
                row.remarks.append(_taken_as_opt_out(header, refusal))

    def _tags(self, cells: list[str]) -> Iterator[tuple[str, str]]:
        for column in self._columns.groups:
            for name in names_in(_cell(cells, column.at)):
                yield column.header, name

    def _others(self, cells: list[str]) -> Iterator[tuple[str, str]]:
        for column in self._columns.others:
            if cell := _cell(cells, column.at):
                yield column.header or self._header(column.at), cell

    def _phone(self, cells: list[str], row: Row) -> str:
        cell, second_choice = self._phone_cell(cells)
        if phone.is_missing(cell):
            raise BadRowError(_("phone: It is empty."))
        try:
            numbers = self._numbers_in(cell, self._country_of(cells), row)
        except phone.UnusableNumberError as error:
            raise BadRowError(f"phone: {error}") from None
        if len(numbers) > 1:
            number, *others = (phone.as_written(one, self._country) for one in numbers)
            sentence = _("phone: %(number)s is used; the same cell also holds %(rest)s.")
            row.remarks.append(sentence % {"number": number, "rest": ", ".join(others)})
        if second_choice and self._columns.has_first_choice:
            sentence = _("phone: %(column)s is used, for there is no mobile number.")
            row.remarks.append(sentence % {"column": second_choice})
        return numbers[0]

    def _numbers_in(self, cell: str, country: str, row: Row) -> list[str]:
        words, rest = phone.words_beside(cell)
        if words and statement_in(words, Meaning.MAY).consent is Consent.OUT:
            numbers = phone.numbers_in(rest, country)
            row.opted_out = True
            row.remarks.append(_taken_as_opt_out("phone", cell))
            return numbers
        return phone.numbers_in(cell, country)

    def _phone_cell(self, cells: list[str]) -> tuple[str, str]:
        """Return the cell with the number, and the header if the cell is a second choice."""
        columns = self._columns
        mobile, plain, home = self._numbered(cells)
        first_choice = (
            *(
                cell
                for column in columns.mobiles
                if not _answers(column, cell := _cell(cells, column.at))
            ),
            *mobile,
            *plain,
            *(_cell(cells, column.at) for column in columns.phones),
        )
        second_choice = (
            *((cell, _("a number marked as home or work")) for cell in home),
            *((_cell(cells, column.at), column.header) for column in columns.second_choice),
        )
        given = [
            (cell, name)
            for cell, name in (*((cell, "") for cell in first_choice), *second_choice)
            if not phone.is_missing(cell)
        ]
        # Words in place of a mobile number ("none yet") lead to the next column, as an empty cell does.
        with_digits = (one for one in given if phone.has_digits(one[0]))
        return next(with_digits, given[0] if given else ("", ""))

    def _numbered(self, cells: list[str]) -> tuple[list[str], list[str], list[str]]:
        """Return three lists: mobile numbers, numbers without a kind, home and work numbers.

        Skip numbers with other labels (fax, pager, another person).
        """
        mobile: list[str] = []
        plain: list[str] = []
        home: list[str] = []
        for numbered in self._columns.numbered:
            labels = _labels(_cell(cells, numbered.label) if numbered.label >= 0 else "")
            if labels & names.MOBILE_LABELS:
                mobile.append(_cell(cells, numbered.value))
            elif labels <= names.PLAIN_LABELS:
                plain.append(_cell(cells, numbered.value))
            elif labels <= names.PLAIN_LABELS | names.HOME_LABELS:
                home.append(_cell(cells, numbered.value))
        return mobile, plain, home

    def _country_of(self, cells: list[str]) -> str:
        """Return the ISO code for the number: from the row's country column, or the church's."""
        for column in self._columns.phone_country:
            word = _cell(cells, column.at).strip().upper().lstrip("+0")
            if word.isascii() and word.isdigit() and len(word) <= len("999"):
                region = phonenumbers.region_code_for_country_code(int(word))
                if region.isalpha() and region != phonenumbers.UNKNOWN_REGION:
                    return str(region)
            elif word in phonenumbers.SUPPORTED_REGIONS:
                return word
        return self._country

    def _person(self, cells: list[str], row: Row) -> Person:
        first, last = self._names(cells)
        for name, value in (("first_name", first), ("last_name", last)):
            if len(value) > MAX_NAME_LENGTH:
                sentence = _("%(column)s: It is longer than %(most)s characters.")
                raise BadRowError(sentence % {"column": name, "most": MAX_NAME_LENGTH})
        if not first:
            raise BadRowError(_("first_name: It is empty."))
        for name, value in (("first_name", first), ("last_name", last)):
            if value.casefold() in ERROR_VALUES:
                raise BadRowError(_formula_error(name, value))
            if sentence := encoding_remark(value):
                row.remarks.append(f"{name}: {sentence}")
        groups = tuple(self._groups(cells))
        if len(groups) > MAX_GROUPS_OF_A_PERSON:
            sentence = _("groups: There are %(number)s; at most %(most)s can be read.")
            raise BadRowError(
                sentence % {"number": grouped(len(groups)), "most": MAX_GROUPS_OF_A_PERSON}
            )
        return Person(row.line, first, last, row.phone, groups)

    def _names(self, cells: list[str]) -> tuple[str, str]:
        first = _first_filled(self._columns.first_names, cells)
        full_names = (_cell(cells, column.at) for column in self._columns.full_names)
        full = next((cell for cell in full_names if tidy(cell)), "")
        last = self._last_name(first, full, cells)
        if not first and full:
            try:
                first, split_last = split_full_name(full[: 2 * MAX_NAME_LENGTH])
            except UnclearNameError as error:
                raise BadRowError(f"name: {error}") from None
            last = last or split_last
        first, suffix = without_suffix(first)
        suffix = _first_filled(self._columns.suffixes, cells) or suffix
        if suffix and not last.casefold().endswith(suffix.casefold()):
            last = f"{last} {suffix}".strip()
        return first, last

    def _last_name(self, first: str, full: str, cells: list[str]) -> str:
        """Return the last name. In a file without last names, return the rest of the full name."""
        columns = self._columns
        last = _first_filled(columns.last_names, cells)
        second = _first_filled(columns.second_last_names, cells)
        if second or not (first and full) or columns.last_names:
            return f"{last} {second}".strip()
        try:
            given, rest = split_full_name(full[: 2 * MAX_NAME_LENGTH])
        except UnclearNameError:
            return ""
        is_plain = normalised(columns.full_names[0].header) == "name"
        return rest or (given if is_plain and search_key(given) != search_key(first) else "")

    def _groups(self, cells: list[str]) -> Iterator[str]:
        for column in self._columns.groups:
            starred = normalised(column.header) in names.STARRED_GROUPS
            for name in names_in(_cell(cells, column.at), starred=starred):
                if name.casefold() in ERROR_VALUES:
                    raise BadRowError(_formula_error("groups", name))
                if len(name) > MAX_NAME_LENGTH and "," not in name:
                    sentence = _(
                        "groups: A name is longer than %(most)s characters. Separate groups with a"
                        " semicolon."
                    )
                    raise BadRowError(sentence % {"most": MAX_NAME_LENGTH})
                yield name


def _taken_as_opt_out(header: str, cell: str) -> str:
    sentence = _("%(column)s: %(cell)r is taken as an opt-out.")
    return sentence % {"column": header, "cell": shown(cell)}


def _cell(cells: list[str], at: int) -> str:
    """Return the cell; missing cells at the end are empty."""
    return cells[at] if at < len(cells) else ""


def _answers(column: Column, cell: str) -> bool:
    """Return True if the cell of a column named SMS or "Text #" is a yes or a no, not a number."""
    if normalised(column.header) not in ("sms", "text") or not cell.strip():
        return False
    return statement_in(cell, Meaning.MAY).consent is not Consent.UNKNOWN


def _first_filled(columns: list[Column], cells: list[str]) -> str:
    values = (tidy(_cell(cells, column.at)) for column in columns)
    return next((value for value in values if value), "")


def _labels(cell: str) -> set[str]:
    """Return the kinds in a label; Google marks the preferred number with a star."""
    return {word_of(part).lstrip("* ") for part in cell.replace(":::", ",").split(",")}


def _is_status(header: str) -> bool:
    return normalised(header) in names.STATUS


def _unclear_consent(header: str, cell: str, meaning: Meaning) -> str:
    if meaning is Meaning.UNCLEAR:
        sentence = _(
            "%(column)s: This column seems to say who may be texted, and %(cell)r in it is not"
            " understood. The person is not imported. Name the column opted_out (yes: not texted)"
            " or sms_consent (no: not texted)."
        )
    else:
        sentence = _(
            "%(column)s: %(cell)r says neither yes nor no to texts. The person is not imported. Write"
            " yes or no."
        )
    return sentence % {"column": header, "cell": shown(cell)}


def _formula_error(column: str, cell: str) -> str:
    sentence = _("%(column)s: %(cell)s is the error of a formula. Correct it.")
    return sentence % {"column": column, "cell": cell}
