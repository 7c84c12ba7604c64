"""Parsers of request bodies, with bounds on everything that costs more than its bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from koinonia.api.errors import TooLargeError

MAX_DEPTH = 20
MAX_KEYS = 1_000
MAX_VALUES = 500_000
MAX_NUMBER_LENGTH = 24
"""Characters. A 64-bit integer has up to 20, a float as computers write it up to 24."""
_TOO_DEEP = f"It is nested deeper than {MAX_DEPTH} levels."


class BoundedJSONParser(JSONParser):
    """JSON of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, within the bounds of ``loads``.

    The body must be UTF-8 (RFC 8259, section 8.1). A ``charset`` is ignored: section 11 defines
    none, and some of Python's codecs unpack compressed data.
    """

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return loads(_Bounded(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE).read())
        except UnusableJsonError as error:
            raise ParseError(f"The body cannot be read as JSON. {error}") from None


class CsvParser(BaseParser):
    """The raw stream of a ``text/csv`` body. The view that reads the stream bounds its length."""

    media_type = "text/csv"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return stream


class _Bounded:
    """A stream that raises TooLargeError instead of filling the memory."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        data: bytes = self._stream.read(wanted)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError
        return data


class UnusableJsonError(ValueError):
    """The text is not JSON or exceeds a bound. The message is a sentence for people."""


def loads(body: bytes) -> Any:
    """Return the value of ``body``. Raise UnusableJsonError.

    Stricter than RFC 8259: it also refuses an object with the same name twice (section 4: the
    result is unpredictable), numbers beyond 64 bits or a double, and bodies beyond the bounds.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableJsonError("It is not UTF-8, which JSON requires.") from None
    if text.startswith("\ufeff"):
        raise UnusableJsonError("It starts with a byte order mark, which JSON must not have.")
    if text.count(",") >= MAX_VALUES:
        raise UnusableJsonError(f"It holds more than {MAX_VALUES} values.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Keys().build_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except RecursionError:
        raise UnusableJsonError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise UnusableJsonError(f"{error}.") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)
    return value


class _Keys:
    """Counts the names in one body."""

    def __init__(self) -> None:
        self._left = MAX_KEYS

    def build_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= len(pairs)
        if self._left < 0:
            raise UnusableJsonError(f"It holds more than {MAX_KEYS} names.")
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in made if names.count(name) > 1)
            raise UnusableJsonError(f"It holds {twice[:50]!r} twice.")
        return made


def _integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _float(text: str) -> float:
    _check_length(text)
    number = float(text)
    if not math.isfinite(number):
        raise UnusableJsonError("It holds a number that is too large.")
    return number


def _check_length(text: str) -> None:
    if len(text) > MAX_NUMBER_LENGTH:
        raise UnusableJsonError(f"It holds a number of more than {MAX_NUMBER_LENGTH} digits.")


def _constant(text: str) -> Any:
    raise UnusableJsonError(f"{text} is not JSON.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise UnusableJsonError(_TOO_DEEP)
