"""First and last name out of one cell."""

from __future__ import annotations

import re

from nameparser import HumanName

from koinonia.names import tidy

_COUPLE = re.compile(r"\s(?:and|und|et|oder|or)\s|\S\s*[&+/]\s*\S", re.IGNORECASE)
_SEVERAL_NAMES = re.compile(r";\s*\S|\S[ \t]+\S+\s*\n\s*\S+[ \t]+\S")
_HOUSEHOLD = re.compile(
    r"^the\s.*s$|\b(?:family|household|familia|familie|famille)$", re.IGNORECASE
)
_SPANISH_AND = re.compile(r"\s[yei]\s", re.IGNORECASE)
"""It also joins two family names: ``José Ortega y Gasset``."""
_INITIAL = re.compile(r"\w\.?")
_SUFFIX = re.compile(r"^(.+?),?\s+((?:jr|sr)\.?|II|III|IV)$", re.IGNORECASE)


class UnclearNameError(ValueError):
    """No single person's name can be read. The message is a sentence for people."""


def split_full_name(cell: str) -> tuple[str, str]:
    """Return (first name, last name) of one person. Raise UnclearNameError for couples, and where
    no first name can be told. A title, a nickname and bare initials are left out."""
    name = tidy(cell)
    if _HOUSEHOLD.search(name):
        raise UnclearNameError(
            f"{name[:60]!r} seems to name a household. Give each person a row with a name."
        )
    if _SEVERAL_NAMES.search(cell.strip()) or _COUPLE.search(name) or _joins_two_people(name):
        raise UnclearNameError(
            f"{name[:60]!r} seems to name two people. Give each a row, or a first and a last name"
            " in columns of their own."
        )
    parsed = HumanName(name)
    middle = [word for word in parsed.middle.split() if not _INITIAL.fullmatch(word)]
    first = " ".join([parsed.first, *middle]).strip()
    last = " ".join(part for part in (parsed.last, parsed.suffix) if part)
    if not first:
        raise UnclearNameError(f"No first name can be told in {name[:60]!r}.")
    return first, last


def without_suffix(first_name: str) -> tuple[str, str]:
    """Return (first name, suffix): some programs keep "George, Jr." in the first name."""
    match = _SUFFIX.match(first_name)
    return (match[1].rstrip(","), match[2]) if match else (first_name, "")


def _joins_two_people(name: str) -> bool:
    """Return whether "y" or "e" stands between given names: near the start, or after a comma."""
    match = _SPANISH_AND.search(name)
    if not match:
        return False
    given = name[: match.start()].rpartition(",")[2].split()
    return len(given) == 1
