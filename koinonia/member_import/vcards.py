"""vCards (2.1, 3.0 and 4.0), parsed one by one, so that a broken card does not end the import."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from koinonia.member_import.columns import Columns, columns_of
from koinonia.member_import.table import MAX_ROWS, Record, Table

_LINE_END = re.compile(r"\r\n|\n|\r")
_BEGIN = re.compile(r"\s*BEGIN\s*:\s*VCARD\s*", re.IGNORECASE)
_END = re.compile(r"\s*END\s*:\s*VCARD\s*", re.IGNORECASE)
_MAX_PHONES = 8
_MAX_LINES = 20_000
"""Lines of one card. A photo has thousands."""
_APPLE_LABEL = re.compile(r"^_\$!<(.*)>!\$_$")
_BINARY = re.compile(r"^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)\b", re.IGNORECASE)
_LABELLED = ("iphone", "cell", "mobile", "fax", "pager", "home", "work")
_NOTE = "Note"
_HEADER = [
    "First Name", "Last Name", "Name Suffix", "Full Name", "Labels", "Date of Death", _NOTE,
    *(f"Phone {number} - {part}" for number in range(1, _MAX_PHONES + 1)
      for part in ("Label", "Value")),
]  # fmt: skip


def read_vcards(text: str) -> Table:
    """Return the cards in ``text`` as a table; the line of a record is the line of its BEGIN."""
    columns: Columns = columns_of(_HEADER)
    columns.ignored.remove(_NOTE)
    return Table(columns, _records(text))


def _records(text: str) -> Iterator[Record]:
    for number, (line, card) in enumerate(_cards(text)):
        if number > MAX_ROWS:
            return
        yield _record(line, card)


def _cards(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line of each card, from 1, and its lines without BEGIN and END."""
    begun = 0
    lines: list[str] = []
    for number, line in enumerate(_LINE_END.split(text), 1):
        if _BEGIN.fullmatch(line):
            if begun:  # END is missing
                yield begun, lines
            begun, lines = number, []
        elif begun and _END.fullmatch(line):
            yield begun, lines
            begun = 0
        elif begun:
            lines.append(line)
    if begun:
        yield begun, lines


def _record(line: int, lines: list[str]) -> Record:
    card = _parsed(_without_binaries(lines[:_MAX_LINES]))
    if card is None:
        return Record(line, [], _("This card cannot be read. Export it again."))
    contents = card.contents
    kind = _first(contents, "kind") or _first(contents, "x-addressbookserver-kind")
    if str(kind).casefold() in ("group", "org", "location", "application"):
        sentence = _("This card is not a person (its kind is %(kind)r).")
        return Record(line, [], sentence % {"kind": str(kind)[:20]})
    if str(_first(contents, "x-abshowas")).casefold() == "company":
        return Record(line, [], _("This card is a company, not a person."))
    name = _first(contents, "n")
    cells = [
        _joined(getattr(name, "given", "")),
        _joined(getattr(name, "family", "")),
        _joined(getattr(name, "suffix", "")),
        _joined(_first(contents, "fn")),
        " ::: ".join(_categories(contents)),
        _date_of_death(contents),
        str(_first(contents, "note")),
    ]
    for phone in contents.get("tel", [])[:_MAX_PHONES]:
        cells += [_label(phone, contents), str(phone.value)]
    return Record(line, cells)


def _parsed(lines: list[str]) -> Any:
    import vobject  # Here, because it takes 65 ms of every start, and few files are vCards.

    text = "\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])
    try:
        # Soft line breaks of 2.1 need allowQP; otherwise they end the whole file.
        return next(vobject.readComponents(text, allowQP=True, ignoreUnreadable=True), None)
    except Exception:  # vobject's parsers raise many types; the card is rejected
        return None


def _without_binaries(lines: list[str]) -> list[str]:
    """Return the lines without pictures, because invalid base64 would lose the whole card."""
    kept: list[str] = []
    skips = False
    for line in lines:
        folded = line[:1] in (" ", "\t")
        skips = (skips and (folded or not line.strip() or ":" not in line)) or (
            not folded and bool(_BINARY.match(line))
        )
        if not skips:
            kept.append(line)
    return kept


def _first(contents: dict[str, list[Any]], name: str) -> Any:
    values = contents.get(name)
    return values[0].value if values else ""


def _joined(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _categories(contents: dict[str, list[Any]]) -> Iterator[str]:
    for line in contents.get("categories", []):
        values = line.value if isinstance(line.value, list) else str(line.value).split(",")
        yield from values


def _date_of_death(contents: dict[str, list[Any]]) -> str:
    """Return DEATHDATE (RFC 6474) in the form of a column "Deceased"; it may lack parts, or be words."""
    return "yes" if str(_first(contents, "deathdate")).strip() else ""


def _label(phone: Any, contents: dict[str, list[Any]]) -> str:
    """Return the kind of a number: its label (Apple), or its most specific type."""
    types = [
        word for values in phone.params.values() for value in values for word in value.split(",")
    ]
    given = {word.casefold() for word in (*types, *phone.singletonparams)}
    for label in contents.get("x-ablabel", []):
        if phone.group and label.group == phone.group:
            match = _APPLE_LABEL.match(str(label.value))
            given.add((match[1] if match else str(label.value)).casefold())
    given |= {_PLAIN.get(word, word) for word in given}
    if given & {"fax", "pager", "homefax", "workfax"}:
        return "fax"
    return next((label for label in _LABELLED if label in given), _other(given))


_PLAIN = {"ex-mobilephone": "mobile", "cellular": "cell", "telephone": ""}
_NO_KIND = frozenset({"", "voice", "pref", "main", "uri", "text", "other", "msg", "telephone"})


def _other(given: set[str]) -> str:
    """Return an unknown type as the label ("assistant"); "" for types without a kind."""
    strange = sorted(word for word in given if word not in _NO_KIND)
    return strange[0][:20] if strange else ""
