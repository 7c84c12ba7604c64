"""The encoding of a text on the mobile network, and the number of parts that it needs.

Source: 3GPP TS 23.038, section 6.2.1 (the GSM 7-bit default alphabet and its extension table).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from delivery.models.message import Encoding

MAX_PARTS = 10

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
_ALPHABET = _BASIC | _EXTENDED
_PART_SIZES = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}
"""Units of a single part, and of each part of several."""


@dataclass(frozen=True, slots=True)
class Measured:
    encoding: Encoding
    units: int
    """Septets of GSM-7, or UTF-16 code units."""
    parts: int


def measure(text: str) -> Measured:
    """Return the encoding, length and parts of ``text``. An empty text is one part (media alone)."""
    letters = set(text)
    if letters <= _ALPHABET:
        extended = sum(text.count(letter) for letter in letters & _EXTENDED)
        units = len(text) + extended
        return Measured(Encoding.GSM7, units, _parts(units, Encoding.GSM7))
    units = len(text.encode("utf-16-be", "surrogatepass")) // 2
    return Measured(Encoding.UCS2, units, _parts(units, Encoding.UCS2))


def measure_message(text: str, *, media: bool) -> Measured:
    """Return the measure of a message. A message with media is an MMS: one part at any length."""
    measured = measure(text)
    return replace(measured, parts=1) if media else measured


def outside_alphabet(text: str) -> dict[str, int]:
    """Return the characters that make ``text`` UCS-2 with their counts, the most frequent first.

    Empty for a GSM-7 text.
    """
    found = Counter(letter for letter in text if letter not in _ALPHABET)
    return dict(found.most_common())


def size_rules() -> dict[str, Any]:
    """Return the alphabet and the part sizes as JSON data, for a page that measures texts."""
    return {
        "basic": "".join(sorted(_BASIC)),
        "extended": "".join(sorted(_EXTENDED)),
        "gsm7": _PART_SIZES[Encoding.GSM7],
        "ucs2": _PART_SIZES[Encoding.UCS2],
        "maxParts": MAX_PARTS,
    }


def _parts(units: int, encoding: Encoding) -> int:
    single, joined = _PART_SIZES[encoding]
    return 1 if units <= single else -(-units // joined)
