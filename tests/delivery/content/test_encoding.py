from __future__ import annotations

import pytest

from delivery.content.encoding import measure
from delivery.models import Encoding


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1), ("a" * 160, "GSM-7", 160, 1), ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2), ("a" * 307, "GSM-7", 307, 3), ("€" * 80, "GSM-7", 160, 1),
        ("[]" * 41, "GSM-7", 164, 2), ("Señor è", "GSM-7", 7, 1), ("canción", "UCS-2", 7, 1),
        ("ł" * 70, "UCS-2", 70, 1), ("ł" * 71, "UCS-2", 71, 2), ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2), ("a" * 1530, "GSM-7", 1530, 10),
        ("a" * 1531, "GSM-7", 1531, 11),
    ],
)  # fmt: skip
def test_a_text_is_measured_as_telnyx_measures_it(
    text: str, encoding: str, units: int, parts: int
) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.parts) == (Encoding(encoding), units, parts)
