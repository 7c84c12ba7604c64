"""``{first_name}``, ``{last_name}`` and ``{church}`` in a text.

A placeholder is a name in single braces; blanks inside the braces and the case of its letters do not
count. Every other brace that opens is refused, and so is a name in the brackets of other programs:
a placeholder that is only misspelt would go out as it stands. There is no way to write an opening brace itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from delivery.accept import UnacceptableError
from koinonia.models import Church, Member

_PLACEHOLDER = re.compile(r"\{[^\S\n]*([A-Za-z_]+)[^\S\n]*\}")
_TWO_CLOSE = re.compile(_PLACEHOLDER.pattern + r"\}")
_OF_MEMBERS: dict[str, Callable[[Member], str]] = {
    "first_name": lambda member: member.first_name,
    "last_name": lambda member: member.last_name,
}
NAMES = (*_OF_MEMBERS, "church")
_ALSO_MEANT = {
    "name": "first_name",
    "firstname": "first_name",
    "fname": "first_name",
    "vorname": "first_name",
    "lastname": "last_name",
    "lname": "last_name",
    "surname": "last_name",
    "churchname": "church",
}
_OF_OTHER_PROGRAMS = re.compile(
    r"[\[(<%|\uff5b\u2774]\s*((?:first|last)_name|fname|lname|firstname|lastname)\s*[\])>%|\uff5d\u2775]",
    re.IGNORECASE,
)
"""[first_name], %first_name%, *|FNAME|*, and the wide braces of Chinese and Japanese keyboards."""
_SHOWN = 40
_BEFORE_NOTHING = re.compile(r"[^\S\n]*(?:$|[\s,.;:!?)\]])")
_AFTER_NOTHING = re.compile(r"[^\S\n]*(?:[,;:][^\S\n]*)?")


def check(text: str) -> None:
    """Raise ``UnacceptableError`` where a brace of ``text`` is no placeholder that is known."""
    problem = next(_problems(text), None)
    if problem:
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        raise UnacceptableError("text", f"{problem} There are {known}.")


def names_in(text: str) -> set[str]:
    """Return the placeholders that stand in ``text``."""
    return {match[1].lower() for match in _PLACEHOLDER.finditer(text)} & set(NAMES)


def needs_a_member(text: str) -> set[str]:
    """Return the placeholders in ``text`` that only a member can fill in."""
    return names_in(text) & _OF_MEMBERS.keys()


def render(
    text: str, member: Member | None, church: Church, written: Callable[[str], str] = str
) -> str:
    """Return ``text`` as ``member`` gets it; each value that is filled in passes ``written``.

    A value with braces in it is not filled in again. What a missing value leaves behind goes: the
    blank before a comma, the second of two blanks, the comma at the start of a line.
    """
    made, at = "", 0
    for match in _PLACEHOLDER.finditer(text):
        value = _value(match[1].lower(), member, church)
        if value is None:
            continue
        made += text[at : match.start()]
        at = match.end()
        value = written(value).strip()
        if value:
            made += value
        elif not made or made.endswith("\n"):
            skipped = _AFTER_NOTHING.match(text, at)
            at = skipped.end() if skipped else at
        elif made[-1].isspace() and _BEFORE_NOTHING.match(text, at):
            made = made.rstrip(" \t")
        elif made[-1] in "([":
            at += len(text[at:]) - len(text[at:].lstrip(" \t"))
    return made + text[at:]


def _value(name: str, member: Member | None, church: Church) -> str | None:
    if name == "church":
        return church.name.strip()
    if name in _OF_MEMBERS and member is not None:
        return _OF_MEMBERS[name](member).strip()
    return None


def _problems(text: str) -> Iterator[str]:
    if "{{" in text or _TWO_CLOSE.search(text):
        yield "A placeholder stands in single braces."
    for match in _OF_OTHER_PROGRAMS.finditer(text):
        yield f"{match[0]} is no placeholder here.{_meant(match[1])}"
    for match in re.finditer(r"\{([^{}\n]*)([}{\n]|$)", text):
        inner = match[1].strip()
        shown = inner[:_SHOWN]
        if match[2] != "}":
            yield f"The placeholder that begins with {{{shown} is not closed.{_meant(inner)}"
        elif not _PLACEHOLDER.fullmatch(match[0]) or inner.lower() not in NAMES:
            yield f"Unknown placeholder: {{{shown}}}.{_meant(inner)}"
    for match in re.finditer(r"\b(\w+)[^\S\n]*\}", _PLACEHOLDER.sub(" ", text)):
        if match[1].lower() in NAMES:
            yield f"The placeholder that ends with {match[1]}}} is not opened."


def _meant(inner: str) -> str:
    """Return the probable meaning as a sentence of its own; empty where there is none."""
    words = re.findall(r"[a-z]+", inner.lower())
    joined = "".join(words)
    likely = _ALSO_MEANT.get(joined) or next(
        (name for name in NAMES if name.replace("_", "") == joined), None
    )
    if likely is None:
        close = get_close_matches("_".join(words), NAMES, n=1, cutoff=0.6)
        starts = [name for name in NAMES if words and inner.lower().startswith(name)]
        likely = next(iter(close or starts), None)
    return f" {{{likely}}} is probably meant." if likely else ""
