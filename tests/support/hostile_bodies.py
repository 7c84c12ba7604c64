"""Request bodies of a given size that cost a server much CPU time, in many shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

from koinonia import ids

JSON = "application/json"
_ODD = "\u200b\u202e\u0301\U000e0041\u115f\U0001f3f4\u1f82\ufdfa"
"""Combining marks, format characters, and letters that normalisation expands."""


def bodies(fields: list[str], size: int) -> Iterator[tuple[str, bytes]]:
    """Yield (description, JSON body) of at most ``size`` bytes, for each of ``fields``."""
    for field in fields:
        for name in VALUES:
            value = _value(name, size - 40)
            yield f"{field}: {name}", b'{"' + field.encode() + b'":' + value + b"}"
    for name, make in WHOLE.items():
        yield name, make(size)


@cache
def _value(name: str, size: int) -> bytes:
    """Return the approximately largest value of this shape that fits; cached for all fields."""
    make, number = VALUES[name], 1
    while number <= size and len(_dumped(make(number * 2))) <= size:
        number *= 2
    step = number // 2
    while step > number // 16:
        if len(_dumped(make(number + step))) <= size:
            number += step
        step //= 2
    return _dumped(make(number))


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _repeated(text: str, number: int) -> str:
    return (text * (number // len(text) + 1))[:number]


def _nested(number: int, opening: str = "[") -> Any:
    value: Any = []
    for _ in range(min(number, 400)):
        value = [value] if opening == "[" else {"a": value}
    return value


VALUES: dict[str, Any] = {
    "ids that are there or might be": lambda number: [ids.encode(key) for key in range(number)],
    "long ids": lambda number: [ids.encode(2**62 + key) for key in range(number)],
    "one id many times": lambda number: ["Uk"] * number,
    "strings that are no ids": lambda number: [f"{key:x}_" for key in range(number)],
    "empty strings": lambda number: [""] * number,
    "numbers": lambda number: [7] * number,
    "nulls": lambda number: [None] * number,
    "empty lists": lambda number: [[]] * number,
    "empty objects": lambda number: [{}] * number,
    "objects": lambda number: [{"id": "Uk", "name": "x"}] * number,
    "addresses": lambda number: ["http://example.org/"] * number,
    "long text": lambda number: "a" * number,
    "blanks": lambda number: " " * number,
    "commas": lambda number: "," * number,
    "odd letters": lambda number: _repeated(_ODD, number),
    "combining marks": lambda number: "a" + "\u0301\u0316" * number,
    "format characters": lambda number: "\u200b" * number,
    "letters that grow": lambda number: "\ufdfa" * number,
    "placeholders": lambda number: "{first_name}" * number,
    "unknown placeholders": lambda number: "".join(f"{{n{key}}}" for key in range(number)),
    "open braces": lambda number: "{" * number,
    "digits": lambda number: "1" * number,
    "plus signs": lambda number: "+" * number,
    "a number of many digits": lambda number: 10 ** min(number, 4000),
    "lists in lists": _nested,
    "objects in objects": lambda number: _nested(number, "{"),
    "many keys": lambda number: {f"key{key}": key for key in range(number)},
    "many known keys": lambda number: {
        name: [ids.encode(key) for key in range(number)] for name in ("groups", "members")
    },
    "as many ids as are taken": lambda number: [ids.encode(key) for key in range(min(number, 100))],
    "as many members as are taken": lambda number: {
        "members": [ids.encode(key) for key in range(min(number, 5_000))]
    },
    "an audience of members": lambda number: {
        "members": [ids.encode(key) for key in range(number)]
    },
}


def _keys(size: int) -> bytes:
    return _dumped({f"k{key}": 1 for key in range(size // 12)})


def _alike(size: int) -> bytes:
    """Return keys similar to a known key: the server compares each with all known keys."""
    name = "expires_at_first_name_scheduled_at_"
    return _dumped({f"{name}{key}": 1 for key in range(size // 48)})


def _repeats(size: int) -> bytes:
    pair = b'"text":1,'
    return b"{" + (pair * (size // len(pair) - 1))[:-1] + b"}"


def _escapes(size: int) -> bytes:
    return b'{"text":"' + b"\\ud800" * ((size - 12) // 6) + b'"}'


def _raw(piece: bytes) -> Any:
    return lambda size: (piece * (size // len(piece)))[:size]


WHOLE: dict[str, Any] = {
    "keys": _keys,
    "keys that are like known ones": _alike,
    "one key many times": _repeats,
    "lone surrogates": _escapes,
    "opening brackets": _raw(b"["),
    "opening braces": _raw(b'{"a":'),
    "empty objects in a list": lambda size: b"[" + (b"{}," * (size // 3 - 1))[:-1] + b"]",
    "digits": _raw(b"1"),
    "bytes that are no text": _raw(b"\xff"),
    "blanks": _raw(b" "),
    "an exponent": lambda size: b'{"text":1e' + b"9" * (size - 12) + b"}",
    "a fraction": lambda size: b'{"text":0.' + b"1" * (size - 12) + b"}",
}


def multipart(size: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield (description, content type, body) of multipart forms."""
    number = count()
    part = b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n'
    parts = b""
    while len(parts) + 70 < size:
        parts += part % next(number)
    yield "parts", "multipart/form-data; boundary=b", parts + b"--b--\r\n"
    yield "pairs", "application/x-www-form-urlencoded", (b"a=1&" * (size // 4))[:size]
    yield "percents", "application/x-www-form-urlencoded", (b"%25" * (size // 3))[:size]
    yield "text", "text/plain", b"a" * size
