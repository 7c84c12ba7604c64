"""Encodings: declared, certain, or shown as a guess."""

from __future__ import annotations

import pytest

from koinonia.member_import.table import UnknownEncodingError, UnusableFileError
from tests.koinonia.member_import.reading import people_in, remarks_in

HEADER = "first_name,last_name,phone\r\n"
WESTERN = HEADER + "José,Muñoz,3125550101\r\nZoë,Müller,3125550102\r\nAnn,Lee,3125550103\r\n"
RUSSIAN = HEADER + "".join(
    f"{first},{last},31255501{number:02}\r\n"
    for number, (first, last) in enumerate(
        [("Иван", "Петров"), ("Ольга", "Смирнова"), ("Мария", "Кузнецова"), ("Павел", "Соколов")]
        * 4
    )
)
KOREAN = HEADER + "".join(
    f"{first},{last},31255501{number:02}\r\n"
    for number, (first, last) in enumerate([("민준", "김"), ("서연", "이"), ("지후", "박")] * 4)
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "utf-32"]
)
def test_a_byte_order_mark_decides(encoding: str) -> None:
    if encoding.endswith("-bom"):
        content = f"\ufeff{WESTERN}".encode(encoding.removesuffix("-bom"))
    else:
        content = WESTERN.encode(encoding)
    assert people_in(content)[0] == ("José", "Muñoz", "+13125550101")


def test_unicode_text_of_excel_is_read() -> None:
    content = f"\ufeff{WESTERN}".replace(",", "\t").encode("utf-16-le")
    assert people_in(content)[1] == ("Zoë", "Müller", "+13125550102")


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "first"),
    [
        (WESTERN, "cp1252", "windows-1252", "José"),
        (WESTERN, "cp1252", "ISO-8859-1", "José"),
        (WESTERN, "mac_roman", "macintosh", "José"),
        (WESTERN, "cp850", "cp850", "José"),
        (RUSSIAN, "cp1251", "windows-1251", "Иван"),
        (RUSSIAN, "koi8_r", "KOI8-R", "Иван"),
        (KOREAN, "cp949", "cp949", "민준"),
        (KOREAN, "iso2022_kr", "iso-2022-kr", "민준"),
        (WESTERN.replace("ñ", "ń").replace("ë", "ę"), "iso8859_2", "iso-8859-2", "José"),
    ],
)
def test_a_declared_charset_is_used(text: str, encoding: str, declared: str, first: str) -> None:
    assert people_in(text.encode(encoding), encoding=declared)[0][0] == first


def test_valid_utf8_wins_over_a_declared_charset() -> None:
    assert people_in(WESTERN.encode(), encoding="iso-8859-1")[0][0] == "José"


@pytest.mark.parametrize(
    ("text", "encoding", "guess", "samples"),
    [
        (WESTERN, "cp1252", "windows-1252", ["José Muñoz", "Zoë Müller"]),
        (HEADER + "Pat,O’Brien,3125550101\r\n", "cp1252", "windows-1252", ["Pat O’Brien"]),
        (WESTERN.replace("José", "Renée Ålund"), "mac_roman", "mac-roman", ["Renée Ålund Muñoz"]),
        (RUSSIAN, "cp1251", "windows-1251", ["Иван Петров", "Ольга Смирнова", "Мария Кузнецова"]),
        (KOREAN, "cp949", "cp949", ["민준 김", "서연 이", "지후 박"]),
    ],
)
def test_an_undeclared_encoding_is_rejected_with_sample_names(
    text: str, encoding: str, guess: str, samples: list[str]
) -> None:
    with pytest.raises(UnknownEncodingError) as refused:
        people_in(text.encode(encoding))
    for part in (guess, *samples):
        assert part in str(refused.value)


@pytest.mark.parametrize("bad", ["utf-7", "unicode_escape", "rot13", "base64", "nonsense", "\x00"])
def test_an_unknown_charset_is_rejected(bad: str) -> None:
    with pytest.raises(UnusableFileError, match="not an encoding"):
        people_in(WESTERN.encode("cp1252"), encoding=bad)


def test_a_wrong_declaration_is_rejected_with_the_line() -> None:
    with pytest.raises(UnusableFileError, match=r"utf-8.*line 2"):
        people_in(WESTERN.encode("cp1252"), encoding="utf-8")


def test_single_lines_in_another_encoding_are_rejected() -> None:
    lines = WESTERN.encode().split(b"\r\n")
    lines.insert(2, "Siân,Jones,3125550109".encode("cp1252"))
    content = b"\r\n".join(lines)
    assert [first for first, _, _ in people_in(content)] == ["José", "Zoë", "Ann"]
    assert remarks_in(content) == [
        (3, "This line is not in UTF-8, as the rest of the file is. Save the file as CSV UTF-8.")
    ]


def test_utf16_without_a_byte_order_mark_is_rejected() -> None:
    with pytest.raises(UnknownEncodingError, match="utf-16-le"):
        people_in(WESTERN.encode("utf-16-le"))
    assert people_in(WESTERN.encode("utf-16-le"), encoding="utf-16-le")[0][0] == "José"
