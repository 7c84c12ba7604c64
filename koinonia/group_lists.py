"""Names of groups in one cell: ``Choir; "Ushers; 9 am"``, as the export writes and the import reads.

A name that a plain list would spoil stands in quotes, with its own quotes doubled (decision 114).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from koinonia.names import tidy

_SPOILT = re.compile(r';|:::|\|\||>>|^[=+\-@"]')
"""What a list without quotes splits, shortens, or protects from spreadsheets."""
_QUOTED = re.compile(r'"((?:[^"]|"")*)"\s*([;,]|$)\s*')
_PLAIN = re.compile(r'([^";][^;]*)(?:;|$)\s*|;\s*')


def written(names: Iterable[str]) -> str:
    """Return the names as one cell."""
    return "; ".join(_quoted(name) if _SPOILT.search(name) else name for name in names)


def quoted_names(cell: str) -> list[str] | None:
    """Return the names in ``cell``; None unless a name in it needs its quotes.

    Beside ";" needless quotes are part of a name: older exports wrote ``"Kids"; Choir``. Mailchimp
    quotes each name, and separates them by commas.
    """
    if '"' not in cell:
        return None
    found: list[tuple[str, bool]] = []
    at, commas = 0, False
    while at < len(cell):
        if match := _QUOTED.match(cell, at):
            found.append((match[1].replace('""', '"'), True))
            commas |= match[2] == ","
        elif match := _PLAIN.match(cell, at):
            found.append((match[1] or "", False))
        else:
            return None
        at = match.end()
    if not any(quoted and _SPOILT.search(name) for name, quoted in found):
        return None
    names = [
        tidy(f'"{name}"' if quoted and not commas and not _SPOILT.search(name) else name)
        for name, quoted in found
    ]
    return [name for name in names if name]


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
