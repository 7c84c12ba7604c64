"""Encoding and parts as the carrier counts them; written apart from ``delivery.content.encoding`` on purpose.

Two implementations from the same source (3GPP TS 23.038 section 6.2.1) check each other in tests.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

# Row by row, as the standard's table has it (columns 0 to 7, without the escape at 0x1B).
_COLUMNS = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
_SEPTETS = dict.fromkeys(chain(*_COLUMNS), 1) | dict.fromkeys("^{}\\[~]|€", 2)


class Size(NamedTuple):
    encoding: str
    """``GSM-7`` or ``UCS-2``, the names in responses."""
    parts: int


def size_of(text: str) -> Size:
    try:
        septets = sum(_SEPTETS[letter] for letter in text)
    except KeyError:
        return ucs2_size_of(text)
    return Size("GSM-7", _parts(septets, 160, 153))


def ucs2_size_of(text: str) -> Size:
    units = sum(2 if ord(letter) > 0xFFFF else 1 for letter in text)
    return Size("UCS-2", _parts(units, 70, 67))


def _parts(units: int, alone: int, joined: int) -> int:
    if units <= alone:
        return 1
    whole, rest = divmod(units, joined)
    return whole + (rest > 0)
