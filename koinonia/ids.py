"""Integer keys as the short opaque strings of the API: Sqids, canonical only."""

from __future__ import annotations

from typing import Any, Final

from sqids import Sqids

MAX_LENGTH: Final = 12
"""The Sqid of the largest bigint is no longer than this."""

SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_LENGTH,
    "pattern": "^[A-Za-z0-9]+$",
    "example": "Uk",
}
"""In OpenAPI."""

_LARGEST_KEY: Final = 2**63 - 1
# No blocklist: it triples the cost, and makes ids depend on a word list.
_sqids: Final = Sqids(blocklist=[])


def encode(key: int) -> str:
    return _sqids.encode([key])


def decode(text: str) -> int | None:
    """The key behind ``text``; None where ``encode`` never made it."""
    if not text or len(text) > MAX_LENGTH:
        return None
    numbers = _sqids.decode(text)
    if len(numbers) != 1 or numbers[0] > _LARGEST_KEY or encode(numbers[0]) != text:
        return None
    return numbers[0]
