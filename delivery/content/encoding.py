"""How a text is encoded for the air, and into how many parts it falls.

Source: Telnyx "Message encoding" and 3GPP TS 23.038, section 6.2.1 (the GSM 7-bit default alphabet
and its extension table).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from delivery.models.message import Encoding

MAX_PARTS = 10

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
_ALPHABET = _BASIC | _EXTENDED


@dataclass(frozen=True, slots=True)
class Measured:
    encoding: Encoding
    units: int
    """Septets of GSM-7, or UTF-16 code units."""
    parts: int


def measure(text: str) -> Measured:
    """The encoding, length and parts of ``text``. An empty text is one part (media alone)."""
    letters = set(text)
    if letters <= _ALPHABET:
        extended = sum(text.count(letter) for letter in letters & _EXTENDED)
        units = len(text) + extended
        return Measured(Encoding.GSM7, units, _parts(units, single=160, joined=153))
    units = len(text.encode("utf-16-be", "surrogatepass")) // 2
    return Measured(Encoding.UCS2, units, _parts(units, single=70, joined=67))


def measure_message(text: str, *, media: bool) -> Measured:
    """Return the measure of a message. One with media is an MMS: one part, however long."""
    measured = measure(text)
    return replace(measured, parts=1) if media else measured


def outside_alphabet(text: str) -> dict[str, int]:
    """Return the characters that make ``text`` UCS-2, each with how often it comes, the most first.

    Empty for a GSM-7 text.
    """
    found = Counter(letter for letter in text if letter not in _ALPHABET)
    return dict(found.most_common())


def _parts(units: int, *, single: int, joined: int) -> int:
    return 1 if units <= single else -(-units // joined)
