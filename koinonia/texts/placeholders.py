"""``{first_name}``, ``{last_name}`` and ``{church}`` in a text.

A placeholder is a name in single braces; blanks inside the braces and upper case are allowed. Any
other opening brace is rejected, and so are the notations of other programs: a misspelt placeholder
must not be sent as text. A text cannot contain a literal opening brace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Protocol

from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from koinonia.models import Church
from koinonia.phone import is_number

_PLACEHOLDER = re.compile(r"\{[^\S\n]*([A-Za-z_]+)[^\S\n]*\}")
_TWO_CLOSE = re.compile(_PLACEHOLDER.pattern + r"\}")


class Named(Protocol):
    """A member, or the columns of one."""

    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...


_MEMBER_VALUES: dict[str, Callable[[Named], str]] = {
    "first_name": lambda member: member.first_name,
    "last_name": lambda member: "" if is_number(member.last_name) else member.last_name,
}
NAMES = (*_MEMBER_VALUES, "church")
_SYNONYMS = {
    "name": "first_name",
    "firstname": "first_name",
    "fname": "first_name",
    "vorname": "first_name",
    "lastname": "last_name",
    "lname": "last_name",
    "surname": "last_name",
    "churchname": "church",
}
_OTHER_NOTATIONS = re.compile(
    r"[\[(<%|\uff5b\u2774]\s*((?:first|last)_name|fname|lname|firstname|lastname)\s*[\])>%|\uff5d\u2775]",
    re.IGNORECASE,
)
"""[first_name], %first_name%, *|FNAME|*, and full-width braces of Chinese and Japanese keyboards."""
_SHOWN = 40
_BEFORE_NOTHING = re.compile(r"[^\S\n]*(?:$|[\s,.;:!?)\]])")
_ENDS = tuple(".!?")
_AFTER_NOTHING = re.compile(r"[^\S\n]*(?:[,;:][^\S\n]*)?")


def check(text: str) -> None:
    """Raise ``UnacceptableError`` for an unknown or malformed placeholder."""
    problem = next(_problems(text), None)
    if problem:
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        sentence = _("%(problem)s There are %(names)s.") % {"problem": problem, "names": known}
        raise UnacceptableError("text", sentence)


def names_in(text: str) -> set[str]:
    """Return the placeholders in ``text``."""
    return {match[1].lower() for match in _PLACEHOLDER.finditer(text)} & set(NAMES)


def needs_a_member(text: str) -> set[str]:
    """Return the placeholders in ``text`` that need a member."""
    return names_in(text) & _MEMBER_VALUES.keys()


def pieces(text: str) -> list[tuple[str, str]]:
    """Return ``text`` as pieces: words, and the placeholder after them ("" after the last words)."""
    found, at = list[tuple[str, str]](), 0
    for match in _PLACEHOLDER.finditer(text):
        if (name := match[1].lower()) in NAMES:
            found.append((text[at : match.start()], name))
            at = match.end()
    return [*found, (text[at:], "")]


def render(
    text: str, member: Named | None, church: Church, clean_value: Callable[[str], str] = str
) -> str:
    """Return ``text`` filled in for ``member``; ``clean_value`` is applied to each value.

    Braces inside a value are not filled in again. After an empty value, also remove the blank before
    a comma, the blank and comma before the end of a sentence, the second of two blanks, and a comma at
    the start of a line.
    """
    made, at = "", 0
    for match in _PLACEHOLDER.finditer(text):
        value = _value(match[1].lower(), member, church)
        if value is None:
            continue
        made += text[at : match.start()]
        at = match.end()
        value = clean_value(value).strip()
        if value:
            made += value
        elif not made or made.endswith("\n"):
            skipped = _AFTER_NOTHING.match(text, at)
            at = skipped.end() if skipped else at
        elif made[-1].isspace() and _BEFORE_NOTHING.match(text, at):
            made = made.rstrip(" \t")
            if text[at : at + 1] in _ENDS:
                made = made.removesuffix(",")
        elif made[-1] in "([":
            at += len(text[at:]) - len(text[at:].lstrip(" \t"))
    return made + text[at:]


def _value(name: str, member: Named | None, church: Church) -> str | None:
    if name == "church":
        return church.name.strip()
    if name in _MEMBER_VALUES and member is not None:
        return _MEMBER_VALUES[name](member).strip()
    return None


def _problems(text: str) -> Iterator[str]:
    if "{{" in text or _TWO_CLOSE.search(text):
        yield _("A placeholder stands in single braces.")
    for match in _OTHER_NOTATIONS.finditer(text):
        sentence = _("%(written)s is not a placeholder here.") % {"written": match[0]}
        yield sentence + _suggestion(match[1])
    for match in re.finditer(r"\{([^{}\n]*)([}{\n]|$)", text):
        inner = match[1].strip()
        shown = inner[:_SHOWN]
        if match[2] != "}":
            sentence = _("The placeholder that begins with {%(written)s is not closed.")
            yield sentence % {"written": shown} + _suggestion(inner)
        elif not _PLACEHOLDER.fullmatch(match[0]) or inner.lower() not in NAMES:
            sentence = _("Unknown placeholder: {%(written)s}.")
            yield sentence % {"written": shown} + _suggestion(inner)
    for match in re.finditer(r"\b(\w+)[^\S\n]*\}", _PLACEHOLDER.sub(" ", text)):
        if match[1].lower() in NAMES:
            sentence = _("The placeholder that ends with %(written)s} is not opened.")
            yield sentence % {"written": match[1]}


def _suggestion(inner: str) -> str:
    """Return a sentence that suggests the probable placeholder; "" if none is similar."""
    words = re.findall(r"[a-z]+", inner.lower())
    joined = "".join(words)
    likely = _SYNONYMS.get(joined) or next(
        (name for name in NAMES if name.replace("_", "") == joined), None
    )
    if likely is None:
        close = get_close_matches("_".join(words), NAMES, n=1, cutoff=0.6)
        starts = [name for name in NAMES if words and inner.lower().startswith(name)]
        likely = next(iter(close or starts), None)
    if likely is None:
        return ""
    return " " + _("{%(name)s} is probably meant.") % {"name": likely}
