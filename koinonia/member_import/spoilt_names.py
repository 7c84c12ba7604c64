"""Names that another program has spoilt before: UTF-8 that was read as Windows-1252."""

from __future__ import annotations

_REPLACED = "\ufffd"
_LEADS = frozenset("ÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷")
"""How Windows-1252 shows the first byte of a letter in UTF-8."""


def told_of_spoilt(name: str) -> str:
    """Return a sentence for a name that seems to be spoilt; "" where none is needed."""
    if name.isascii():
        return ""
    if _REPLACED in name:
        return f"{name!r} has letters that were lost before. Correct the name."
    meant = _repaired(name)
    if meant:
        return f"{name!r} seems to be spoilt; {meant!r} is probably meant. Correct the name."
    return ""


def _repaired(name: str) -> str:
    """Return ``name`` with its bytes read as UTF-8; "" where they are not."""
    if not any(letter in _LEADS for letter in name):
        return ""
    for codec in ("cp1252", "latin-1"):
        try:
            meant = name.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        return meant if meant.isprintable() else ""
    return ""
