"""Integer keys as the API's short opaque strings: canonical Sqids."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqids import Sqids

MAX_LENGTH: Final = 12
"""The length of the largest bigint's Sqid."""

SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_LENGTH,
    "pattern": "^[A-Za-z0-9]+$",
    "example": "Uk",
}
"""The OpenAPI schema of an id."""

_REMEMBERED: Final = 16_384
"""Lists name the same authors, conversations and broadcasts again; these keys need some 4 MB."""
_MAX_KEY: Final = 2**63 - 1
# A blocklist would triple the cost and make ids depend on a word list.
_sqids: Final = Sqids(blocklist=[])


@lru_cache(_REMEMBERED)
def encode(key: int) -> str:
    return _sqids.encode([key])


def decode(text: str) -> int | None:
    """Return the key of ``text``; None if ``encode`` does not produce this text."""
    if not text or len(text) > MAX_LENGTH:
        return None
    numbers = _sqids.decode(text)
    if len(numbers) != 1 or numbers[0] > _MAX_KEY or encode(numbers[0]) != text:
        return None
    return numbers[0]
