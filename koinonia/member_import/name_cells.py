"""Names of people and groups in cells: splitting, and detection of broken encodings."""

from __future__ import annotations

import csv
import re
from collections.abc import Container

from django.utils.translation import gettext as _
from nameparser import HumanName

from koinonia.group_lists import quoted_names
from koinonia.models.group import group_key
from koinonia.names import tidy

_COUPLE = re.compile(r"\s(?:and|und|et|oder|or)\s|\S\s*[&+/]\s*\S", re.IGNORECASE)
_SEVERAL_NAMES = re.compile(r";\s*\S|\S[ \t]+\S+\s*\n\s*\S+[ \t]+\S")
_HOUSEHOLD = re.compile(
    r"^the\s.*s$|\b(?:family|household|familia|familie|famille)$", re.IGNORECASE
)
_SPANISH_AND = re.compile(r"\s[yei]\s", re.IGNORECASE)
"""These words also join two family names: ``José Ortega y Gasset``."""
_INITIAL = re.compile(r"\w\.?")
_SUFFIX = re.compile(r"^(.+?),?\s+((?:jr|sr)\.?|II|III|IV)$", re.IGNORECASE)


class UnclearNameError(ValueError):
    """The cell is not the name of one person. The message is a sentence for users."""


def split_full_name(cell: str) -> tuple[str, str]:
    """Return (first name, last name), without a title, a nickname and single initials.

    Raise UnclearNameError for couples, for households, and without a first name.
    """
    name = tidy(cell)
    if _HOUSEHOLD.search(name):
        sentence = _("%(name)r seems to name a household. Give each person a row with a name.")
        raise UnclearNameError(sentence % {"name": name[:60]})
    if _SEVERAL_NAMES.search(cell.strip()) or _COUPLE.search(name) or _joins_two_people(name):
        sentence = _(
            "%(name)r seems to name two people. Give each a row, or a first and a last name in columns"
            " of their own."
        )
        raise UnclearNameError(sentence % {"name": name[:60]})
    parsed = HumanName(name)
    middle = [word for word in parsed.middle.split() if not _INITIAL.fullmatch(word)]
    first = " ".join([parsed.first, *middle]).strip()
    last = " ".join(part for part in (parsed.last, parsed.suffix) if part)
    if not first:
        sentence = _("No first name can be told in %(name)r.")
        raise UnclearNameError(sentence % {"name": name[:60]})
    return first, last


def without_suffix(first_name: str) -> tuple[str, str]:
    """Return (first name, suffix): some programs write "George, Jr." into the first name."""
    match = _SUFFIX.match(first_name)
    return (match[1].rstrip(","), match[2]) if match else (first_name, "")


def _joins_two_people(name: str) -> bool:
    """Return True if "y" or "e" joins given names: near the start, or after a comma."""
    match = _SPANISH_AND.search(name)
    if not match:
        return False
    given = name[: match.start()].rpartition(",")[2].split()
    return len(given) == 1


_SEPARATORS = (":::", ";", "||", "\n")
_FOLDER = ">>"


def names_in(cell: str, *, starred: bool = False) -> list[str]:
    """Return the cleaned names of groups in ``cell``; names with commas stay whole.

    See `split_known`. ``starred`` skips names that begin with a star, which all contacts have.
    """
    names = quoted_names(cell.strip())
    if names is None:
        names = [tidy(part.rpartition(_FOLDER)[2]) for part in _parts(cell.strip())]
    return [name for name in dict.fromkeys(names) if name and not (starred and name[0] == "*")]


def split_known(name: str, known: Container[str]) -> list[str]:
    """Split ``name`` at commas if each part is the key of a known group; else return ``name``."""
    if "," not in name or group_key(name) in known:
        return [name]
    parts = [part for part in map(tidy, name.split(",")) if part]
    return parts if parts and all(group_key(part) in known for part in parts) else [name]


def _parts(cell: str) -> list[str]:
    for separator in _SEPARATORS[:2]:
        if separator in cell:
            return cell.split(separator)
    if cell.startswith('"') and cell.endswith('"') and len(cell) > 1:
        # Mailchimp writes "VIP","Blog" into one cell.
        return next(csv.reader([cell.replace("\n", " ")]), [])
    for separator in _SEPARATORS[2:]:
        if separator in cell:
            return cell.split(separator)
    return [cell]


_REPLACED = "\ufffd"
_LEADS = frozenset("ÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷")
"""The first byte of a UTF-8 letter, decoded as Windows-1252."""


def encoding_remark(name: str) -> str:
    """Return a sentence if ``name`` was decoded with a wrong encoding; else ""."""
    if name.isascii():
        return ""
    if _REPLACED in name:
        sentence = _("%(name)r has letters that were lost before. Correct the name.")
        return sentence % {"name": name}
    meant = _repaired(name)
    if meant:
        sentence = _("%(name)r seems to be spoilt; %(meant)r is probably meant. Correct the name.")
        return sentence % {"name": name, "meant": meant}
    return ""


def _repaired(name: str) -> str:
    """Return ``name`` with its bytes decoded as UTF-8; "" if they are not UTF-8."""
    if not any(letter in _LEADS for letter in name):
        return ""
    for codec in ("cp1252", "latin-1"):
        try:
            meant = name.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        return meant if meant.isprintable() else ""
    return ""
