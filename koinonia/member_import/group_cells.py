"""Names of groups out of a cell, as programs join them."""

from __future__ import annotations

import csv
from collections.abc import Container

from koinonia.models.group import group_key
from koinonia.names import tidy

_SEPARATORS = (":::", ";", "||", "\n")
_FOLDER = ">>"


def names_in(cell: str, *, starred: bool = False) -> list[str]:
    """Return the names in ``cell``, tidied. Names that hold commas stay whole: see `split_known`.

    ``starred``: names that begin with a star are what every contact has, and no groups.
    """
    names = [tidy(part.rpartition(_FOLDER)[2]) for part in _parts(cell.strip())]
    return [name for name in dict.fromkeys(names) if name and not (starred and name[0] == "*")]


def split_known(name: str, known: Container[str]) -> list[str]:
    """Return the groups that ``name`` lists with commas, where each is known by its key; else
    ``name`` itself."""
    if "," not in name or group_key(name) in known:
        return [name]
    parts = [part for part in map(tidy, name.split(",")) if part]
    return parts if parts and all(group_key(part) in known for part in parts) else [name]


def _parts(cell: str) -> list[str]:
    for separator in _SEPARATORS[:2]:
        if separator in cell:
            return cell.split(separator)
    if cell.startswith('"') and cell.endswith('"') and len(cell) > 1:
        # Mailchimp: "VIP","Blog" within a cell.
        return next(csv.reader([cell.replace("\n", " ")]), [])
    for separator in _SEPARATORS[2:]:
        if separator in cell:
            return cell.split(separator)
    return [cell]
