"""JSON of strangers, with bounds on all that costs more than its bytes."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 20
MOST_KEYS = 1_000
MOST_VALUES = 500_000
LONGEST_NUMBER = 24
"""Characters: a 64-bit integer has 20, a float as computers write it 24."""


class UnusableJsonError(ValueError):
    """The text is no JSON, or beyond a bound. The message is a sentence for people."""


def loads(body: bytes) -> Any:
    """Return the value of ``body``. Raises :class:`UnusableJsonError`.

    Refused besides what RFC 8259 refuses: a name that an object has twice (section 4: what comes
    out of it is unpredictable), numbers beyond 64 bits or a double, and more than the bounds.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableJsonError("It is not UTF-8, as JSON has to be.") from None
    if text.startswith("\ufeff"):
        raise UnusableJsonError("It starts with a byte order mark, which JSON must not have.")
    if text.count(",") >= MOST_VALUES:
        raise UnusableJsonError(f"It holds more than {MOST_VALUES} values.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Keys().object_of,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except RecursionError:
        raise UnusableJsonError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise UnusableJsonError(f"{error}.") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(value)
    return value


_TOO_DEEP = f"It is nested deeper than {DEEPEST} levels."


class _Keys:
    """Counts the names of one body."""

    def __init__(self) -> None:
        self._left = MOST_KEYS

    def object_of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= len(pairs)
        if self._left < 0:
            raise UnusableJsonError(f"It holds more than {MOST_KEYS} names.")
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
    if len(text) > LONGEST_NUMBER:
        raise UnusableJsonError(f"It holds a number of more than {LONGEST_NUMBER} digits.")


def _constant(text: str) -> Any:
    raise UnusableJsonError(f"{text} is not JSON.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
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
