"""The meaning of each column of a file, by its header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.translation import gettext as _

from koinonia.member_import import header_names as names
from koinonia.member_import.consent import Meaning
from koinonia.member_import.consent_headers import meaning_of
from koinonia.names import search_key, tidy

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBERED_PHONE = re.compile(r"phone (\d{1,2}) (value|label|type)")
_PACKAGE = re.compile(r"^\w+?__(?=\w+__c$)|__c$")
"""Prefix and suffix of a Salesforce field name."""
_HINT = re.compile(
    r"[(\[]\s*(?:required|optional|if different|legal|no dashes|digits only|numbers only|10 digits?"
    r"|(?:with|include) area code|last,? first|first,? last|s|obligatorio|opcional)\s*[)\]]",
    re.IGNORECASE,
)
"""A remark about the form of the cells: "Cell Phone (no dashes)"."""
_MAX_SHOWN_LENGTH = 60
_MAX_SHOWN = 12


@lru_cache(maxsize=4096)
def normalised(header: str) -> str:
    """Return ``header`` in the spelling of `header_names`: "Phone 1 - Value" is "phone 1 value"."""
    text = unicodedata.normalize("NFKC", header[:200])
    text = search_key(_CAMEL.sub(" ", text))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text).split())


def shown(header: str) -> str:
    """Return ``header`` cleaned and shortened for a report."""
    text = tidy(header)
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"


@dataclass(frozen=True, slots=True)
class Column:
    at: int
    """Index, from 0."""
    header: str


@dataclass(slots=True)
class NumberedPhone:
    """A phone number with its kind in a separate column (Google, vCards)."""

    value: int = -1
    label: int = -1


@dataclass(slots=True)
class Columns:
    """The columns of a file by meaning. The first column of a list with a value counts."""

    width: int
    mobiles: list[Column] = field(default_factory=list)
    numbered: list[NumberedPhone] = field(default_factory=list)
    phones: list[Column] = field(default_factory=list)
    second_choice: list[Column] = field(default_factory=list)
    phone_country: list[Column] = field(default_factory=list)
    first_names: list[Column] = field(default_factory=list)
    last_names: list[Column] = field(default_factory=list)
    second_last_names: list[Column] = field(default_factory=list)
    suffixes: list[Column] = field(default_factory=list)
    full_names: list[Column] = field(default_factory=list)
    groups: list[Column] = field(default_factory=list)
    consents: list[tuple[Column, Meaning]] = field(default_factory=list)
    departures: list[Column] = field(default_factory=list)
    others: list[Column] = field(default_factory=list)
    """Ignored columns, except columns about e-mail: a remark in them can be an opt-out."""
    ignored: list[str] = field(default_factory=list)
    """Names of ignored columns."""
    unnamed: list[int] = field(default_factory=list)
    """Indices of columns without a name, between named columns."""
    duplicates: list[str] = field(default_factory=list)
    """Duplicate names of columns that a file can have once."""

    @property
    def has_phone(self) -> bool:
        return bool(self.mobiles or self.numbered or self.phones or self.second_choice)

    @property
    def has_name(self) -> bool:
        return bool(self.first_names or self.full_names)

    @property
    def is_usable(self) -> bool:
        return self.has_phone and self.has_name

    @property
    def has_first_choice(self) -> bool:
        return bool(self.mobiles or self.numbered or self.phones)

    @property
    def phone_columns(self) -> frozenset[int]:
        single = (*self.mobiles, *self.phones, *self.second_choice)
        return frozenset([column.at for column in single] + [n.value for n in self.numbered])

    def missing(self) -> str:
        """Return the names of the missing columns, for an error sentence."""
        wanted = []
        if not self.has_name:
            wanted.append(_("first_name (or name)"))
        if not self.has_phone:
            wanted.append(_("phone (or mobile, cell phone)"))
        return ", ".join(wanted)


def names_something(cells: Sequence[str]) -> tuple[bool, bool]:
    """Return whether a cell is the header of a name, and of a phone: a fast test of many lines."""
    by_name = _Names(cells, {})
    has_name = by_name.has((*names.FIRST_NAME, *names.FULL_NAME))
    return has_name, by_name.has_phone()


def columns_of(cells: Sequence[str], chosen: Mapping[int, str] | None = None) -> Columns:
    """Return the columns for the headers in ``cells``.

    ``chosen`` are the headers that a person gave to columns in place of their own; "" ignores one.
    """
    headers = [Column(at, shown(cell)) for at, cell in enumerate(cells)]
    by_name = _Names(cells, chosen or {})
    found = Columns(width=_width(cells))
    found.mobiles = by_name.take(names.MOBILE, headers)
    found.numbered = by_name.take_numbered(headers)
    found.mobiles += by_name.take_phones(headers, mobile=True)
    found.phones = by_name.take(names.ANY_PHONE, headers)
    found.phones += by_name.take_phones(headers, mobile=False)
    found.second_choice = by_name.take(names.SECOND_CHOICE, headers)
    if found.mobiles:
        found.second_choice += by_name.take(names.HOME_AND_WORK, headers)
    found.phone_country = by_name.take(names.PHONE_COUNTRY, headers)
    found.first_names = by_name.take(names.FIRST_NAME, headers)
    found.last_names = by_name.take(names.LAST_NAME, headers)
    if not found.last_names and by_name.has(names.GIVEN_NAME):
        found.last_names = by_name.take([names.FAMILY_NAME], headers)
    found.second_last_names = by_name.take(names.SECOND_LAST_NAME, headers)
    found.suffixes = by_name.take(names.SUFFIX, headers)
    found.full_names = by_name.take(names.FULL_NAME, headers)
    found.groups = by_name.take(names.GROUPS, headers)
    found.consents = by_name.take_consents(headers)
    departures = names.GONE | names.PRESENT | names.STATUS | names.GONE_SINCE
    found.departures = [*by_name.take(departures, headers), *by_name.take_deaths(headers)]
    found.departures.sort(key=lambda column: column.at)
    found.unnamed = [column.at for column in headers[: found.width] if not column.header]
    found.duplicates = _duplicates(found)
    found.ignored = [
        *by_name.left(headers),
        *(
            _("%(column)s (a reason in it opts the person out)") % {"column": column.header}
            for column, meaning in found.consents
            if meaning is Meaning.OUT_BECAUSE
        ),
    ]
    about_consent = {column.at for column, _ in found.consents}
    found.others = [column for column in by_name.others(headers) if column.at not in about_consent]
    return found


class _Names:
    """The normalised headers of a file. Each column can be taken once."""

    def __init__(self, cells: Sequence[str], chosen: Mapping[int, str]) -> None:
        self._at: dict[str, list[int]] = {}
        self._taken: set[int] = set()
        self._headers = [chosen.get(at, cell) for at, cell in enumerate(cells)]
        self._names = [normalised(_HINT.sub(" ", header)) for header in self._headers]
        self._numbers = [
            normalised(header.replace("#", " number ")) if "#" in header else name
            for header, name in zip(self._headers, self._names, strict=True)
        ]
        """The names with "number" for "#"."""
        for at, names_of_it in enumerate(zip(self._names, self._numbers, strict=True)):
            for spelling in {*names_of_it, *(name.replace(" ", "") for name in names_of_it)} - {""}:
                self._at.setdefault(spelling, []).append(at)

    def has(self, wanted: Iterable[str]) -> bool:
        return any(self._of(name) for name in wanted)

    def has_phone(self) -> bool:
        return (
            self.has((*names.MOBILE, *names.ANY_PHONE, *names.SECOND_CHOICE))
            or any(map(_NUMBERED_PHONE.fullmatch, self._names))
            or any(
                _names_phone(name, mobile=mobile)
                for name in self._numbers
                for mobile in (False, True)
            )
        )

    def take(self, wanted: Iterable[str], headers: Sequence[Column]) -> list[Column]:
        """Take the columns with these names, in the order of ``wanted``."""
        found = [at for name in wanted for at in self._of(name) if at not in self._taken]
        found = list(dict.fromkeys(found))
        self._taken.update(found)
        return [headers[at] for at in found]

    def take_phones(self, headers: Sequence[Column], *, mobile: bool) -> list[Column]:
        """Take the columns with only words for a phone in their names."""
        found = [
            at
            for at, name in enumerate(self._numbers)
            if at not in self._taken and _names_phone(name, mobile=mobile)
        ]
        self._taken.update(found)
        return [headers[at] for at in found]

    def take_deaths(self, headers: Sequence[Column]) -> list[Column]:
        """Take the columns that say whether, or when, the person died."""
        found = [
            at
            for at, name in enumerate(self._names)
            if at not in self._taken and is_about_death(name)
        ]
        self._taken.update(found)
        return [headers[at] for at in found]

    def take_numbered(self, headers: Sequence[Column]) -> list[NumberedPhone]:
        phones: dict[int, NumberedPhone] = {}
        for at, name in enumerate(self._names):
            if match := _NUMBERED_PHONE.fullmatch(name):
                phone = phones.setdefault(int(match[1]), NumberedPhone())
                if match[2] == "value":
                    phone.value = at
                else:
                    phone.label = at
        whole = [phone for _, phone in sorted(phones.items()) if phone.value >= 0]
        self._taken.update(at for phone in whole for at in (phone.value, phone.label) if at >= 0)
        return whole

    def take_consents(self, headers: Sequence[Column]) -> list[tuple[Column, Meaning]]:
        found: list[tuple[Column, Meaning]] = []
        for column, name in zip(headers, self._names, strict=True):
            header = shown(self._headers[column.at])
            meaning = None if column.at in self._taken else _consent_of(name, header)
            if meaning:
                if meaning is not Meaning.HINT:
                    self._taken.add(column.at)
                found.append((column, meaning))
        return found

    def left(self, headers: Sequence[Column]) -> list[str]:
        left = (column.header for column in headers if column.at not in self._taken)
        return list(dict.fromkeys(header for header in left if header))

    def others(self, headers: Sequence[Column]) -> list[Column]:
        left = (column for column in headers if column.at not in self._taken)
        return [column for column in left if "mail" not in self._names[column.at]]

    def _of(self, name: str) -> list[int]:
        return self._at.get(name) or self._at.get(name.replace(" ", ""), [])


def _names_phone(name: str, *, mobile: bool) -> bool:
    words = name.split()
    known = names.MOBILE_WORDS | names.PHONE_WORDS | names.WORDS_BESIDE
    if not words or words[0] in ("no", "num", "nr") or not known.issuperset(words):
        return False
    if mobile:
        return not names.MOBILE_WORDS.isdisjoint(words)
    return not names.PHONE_WORDS.isdisjoint(words) or {"contact", "number"} <= set(words)


def is_about_death(name: str) -> bool:
    """Return True if a column with this normalised name says that its person died."""
    words = set(name.split())
    return bool(words & names.DEATH) and not words & names.DEATH_OF_ANOTHER


_COMPACT_OUT = {name.replace(" ", "") for name in names.OPTED_OUT}
_COMPACT_MAY = {name.replace(" ", "") for name in names.MAY_TEXT}


def _consent_of(name: str, header: str) -> Meaning | None:
    """Return the meaning of a "yes" in this column; None for a column about other subjects.

    Try a custom field ("Church Life :: Text OK", "package__Text_OK__c") with and without its prefix.
    """
    field_name = normalised(_PACKAGE.sub(" ", header).rpartition("::")[2])
    spellings = [name, field_name] if field_name else [name]
    for spelling in spellings:
        if spelling.replace(" ", "") in _COMPACT_OUT:
            return Meaning.OUT
        if spelling.replace(" ", "") in _COMPACT_MAY and "#" not in header:
            return Meaning.MAY
    meanings = [meaning_of(spelling, header) for spelling in spellings]
    understood = (meaning for meaning in meanings if meaning in (Meaning.OUT, Meaning.MAY))
    return next(understood, meanings[0])


def _width(cells: Sequence[str]) -> int:
    """Return the number of cells in a full record: up to the last named column."""
    named = [at for at, cell in enumerate(cells) if tidy(cell)]
    return named[-1] + 1 if named else 0


def _duplicates(found: Columns) -> list[str]:
    duplicates: list[str] = []
    for columns in (found.mobiles, found.phones, found.first_names, found.last_names):
        spelt = [normalised(column.header) for column in columns]
        duplicates += [name for name in dict.fromkeys(spelt) if spelt.count(name) > 1]
    return duplicates
