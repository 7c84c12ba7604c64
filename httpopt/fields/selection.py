"""Parse ``fields`` into a tree, with bounded work."""

from __future__ import annotations

import re

from httpopt import conf

MAX_LENGTH = 2000

Selection = dict[str, "Selection | None"]
"""Names with the selection below each; None selects everything below."""

_TOKEN = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_-]*|[.,()])[ \t]*")
_END = ""


class FieldsError(ValueError):
    """A value of ``fields`` that cannot be parsed; the message says why."""


def parse_fields(text: str) -> Selection:
    """Parse the value of ``fields``. Raises FieldsError."""
    if len(text) > MAX_LENGTH:
        raise FieldsError(f"It is longer than {MAX_LENGTH} characters.")
    if not text.strip():
        raise FieldsError("It is empty: name at least one field, or leave the parameter out.")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._left = conf.max_fields()

    def parse(self) -> Selection:
        selection = self._list(depth=1)
        if self._next() != _END:
            raise FieldsError(f"Unexpected {self._next()!r}.")
        return selection

    def _list(self, depth: int) -> Selection:
        if depth > conf.max_fields_depth():
            raise FieldsError(f"It is nested deeper than {conf.max_fields_depth()} levels.")
        selection: Selection = {}
        while True:
            self._item(selection, depth)
            if not self._skip(","):
                return selection

    def _item(self, into: Selection, depth: int) -> None:
        name = self._name()
        if self._skip("."):
            part: Selection = {}
            self._deeper(depth)
            self._item(part, depth + 1)
            _merge(into, name, part)
        elif self._skip("("):
            _merge(into, name, self._list(depth + 1))
            if not self._skip(")"):
                raise FieldsError("A parenthesis is not closed.")
        else:
            self._count()
            _merge(into, name, None)

    def _deeper(self, depth: int) -> None:
        if depth + 1 > conf.max_fields_depth():
            raise FieldsError(f"It is nested deeper than {conf.max_fields_depth()} levels.")

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise FieldsError(f"It names more than {conf.max_fields()} fields.")

    def _name(self) -> str:
        token = self._next()
        if token in (_END, ".", ",", "(", ")"):
            raise FieldsError(f"A field name is missing before {token or 'the end'!r}.")
        self._position += 1
        return token

    def _skip(self, token: str) -> bool:
        if self._next() != token:
            return False
        self._position += 1
        return True

    def _next(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else _END


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FieldsError(f"Unexpected {text[position]!r}.")
        tokens.append(match[1])
        position = match.end()
    return tokens


def _merge(into: Selection, name: str, wanted: Selection | None) -> None:
    """Add a selection: ``a.b,a.c`` selects both, and ``a,a.b`` selects all of ``a``."""
    if name not in into or wanted is None:
        into[name] = wanted
        return
    there = into[name]
    if there is not None:
        for inner, below in wanted.items():
            _merge(there, inner, below)
