"""Parts and encoding as Telnyx states them for one message: what it bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.billed import Billed
from delivery.models.message import Encoding

MOST_PARTS = 255
"""GSM 03.40 numbers the parts of one message in a byte."""
_ENCODINGS = {
    "GSM-7": Encoding.GSM7,
    "GSM7": Encoding.GSM7,
    "UCS-2": Encoding.UCS2,
    "UCS2": Encoding.UCS2,
    "UTF-16": Encoding.UCS2,
}


def billed(message: Mapping[str, Any]) -> Billed:
    """Return what ``message`` (a resource or a payload) states; None for a value that is odd."""
    parts, encoding = message.get("parts"), message.get("encoding")
    usable = type(parts) is int and 0 < parts <= MOST_PARTS
    known = _ENCODINGS.get(encoding.upper()) if isinstance(encoding, str) else None
    return Billed(parts if usable else None, known)
