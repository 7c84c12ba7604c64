"""The encoding of a text file: its byte order mark, UTF-8, or the declared encoding.

A guess is always shown to the user first. It depends on the share of bytes from 0x80 within words,
because charset-normalizer mistakes Windows-1252 names for Windows-1250 and reports certainty.
"""

from __future__ import annotations

import codecs
import re
from itertools import islice

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from koinonia.member_import.table import UnusableFileError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODINGS = frozenset(
    [
        "big5",
        "big5hkscs",
        "cp1125",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "cp437",
        "cp720",
        "cp737",
        "cp775",
        "cp850",
        "cp852",
        "cp855",
        "cp857",
        "cp858",
        "cp860",
        "cp861",
        "cp862",
        "cp863",
        "cp864",
        "cp865",
        "cp866",
        "cp869",
        "cp874",
        "cp932",
        "cp949",
        "cp950",
        "euc_jis_2004",
        "euc_jp",
        "euc_kr",
        "gb18030",
        "gb2312",
        "gbk",
        "hz",
        "iso2022_jp",
        "iso2022_kr",
        "iso8859-1",
        "iso8859-10",
        "iso8859-11",
        "iso8859-13",
        "iso8859-14",
        "iso8859-15",
        "iso8859-16",
        "iso8859-2",
        "iso8859-3",
        "iso8859-4",
        "iso8859-5",
        "iso8859-6",
        "iso8859-7",
        "iso8859-8",
        "iso8859-9",
        "johab",
        "koi8-r",
        "koi8-t",
        "koi8-u",
        "kz1048",
        "mac-cyrillic",
        "mac-greek",
        "mac-iceland",
        "mac-latin2",
        "mac-roman",
        "mac-turkish",
        "ptcp154",
        "shift_jis",
        "shift_jis_2004",
        "tis-620",
        "utf-8",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
    ]
)
"""Encodings that a request can declare, as named by ``codecs.lookup``."""
_WEB_NAMES = {"iso8859-1": "cp1252", "utf-8-sig": "utf-8", "ascii": ""}
"""The WHATWG Encoding Standard reads ISO 8859-1 as Windows-1252, with curly quotes and dashes. Some
clients declare ASCII by default, so it counts as undeclared for a file with other bytes."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_WHOLE_FOREIGN_WORDS = 0.7
_MAX_WORDS = 20_000
_CP1252_LETTERS_AND_QUOTES = frozenset(b"\x85\x8a\x8c\x91\x92\x93\x94\x95\x96\x97\x9a\x9c")
_FOREIGN = ("cp949", "euc_kr", "johab", "cp932", "shift_jis", "euc_jp", "big5", "big5hkscs",
            "gbk", "gb2312", "gb18030", "cp1251", "koi8_r", "koi8_u", "mac_cyrillic", "cp866",
            "iso8859_5")  # fmt: skip
"""Encodings that charset-normalizer detects correctly in CJK and Cyrillic text."""


def declared_codec(name: str) -> str:
    """Return Python's name of the encoding ``name``. Raise UnusableFileError if it is unknown."""
    try:
        found = codecs.lookup(name.strip()[:40]).name
    except (LookupError, ValueError):
        found = ""
    found = _WEB_NAMES.get(found, found)
    if found not in _ENCODINGS and name.strip().lower() not in ("ascii", "us-ascii"):
        shown = "".join(letter for letter in name[:40] if letter.isprintable())
        sentence = _(
            "%(name)r is not an encoding that is known here. Name another, such as utf-8 or"
            " windows-1252."
        )
        raise UnusableFileError(sentence % {"name": shown})
    return found


def certain_text(content: bytes, declared: str = "") -> str | None:
    """Return ``content`` decoded, or None if its encoding is uncertain.

    Try in this order: a byte order mark, non-ASCII UTF-8, ``declared``, plain ASCII. Other bytes
    within a UTF-8 file become lone surrogates: see `is_undecodable`.
    Raise UnusableFileError if the bytes do not fit the declared encoding.
    """
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return _with_bom(content[len(bom) :], codec)
    text = None if _is_wide(content) else _strict(content, "utf-8")
    if text is not None and not content.isascii():
        return text
    if declared:
        return _as_declared(content, declared)
    if text is not None:
        return None if _looks_encoded(content) else text
    return None if _is_wide(content) else _mostly_utf8(content)


def is_undecodable(text: str) -> bool:
    """Return True if ``text`` has bytes outside the encoding of its file."""
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)


def guessed_codec(content: bytes) -> str | None:
    """Return Python's name of the most probable encoding; None if the bytes do not indicate one.

    Show the result to the user before using it.
    """
    if _is_wide(content):
        return "utf-16-le" if content[1::2].count(0) > content[0::2].count(0) else "utf-16-be"
    words = (match[0] for match in _WORD.finditer(content))
    joined = b"".join(islice((word for word in words if not word.isascii()), _MAX_WORDS))
    high = sum(byte >= 0x80 for byte in joined)
    if not joined or _looks_encoded(content) or high > _WHOLE_FOREIGN_WORDS * len(joined):
        best = from_bytes(content[:200_000]).best()
        codec = best.encoding if best else ""
        return codec if codec in (*_FOREIGN, "iso2022_jp", "hz") else None
    controls = {byte for byte in joined if 0x80 <= byte <= 0x9F}
    if controls <= _CP1252_LETTERS_AND_QUOTES and _strict(content, "cp1252") is not None:
        return "cp1252"
    return "mac_roman"


def web_name(codec: str) -> str:
    """Return the name of ``codec`` that users and browsers know."""
    return codec.replace("cp125", "windows-125").replace("_", "-")


def decoded_for_show(content: bytes, codec: str) -> str:
    return content.decode(codec, "replace")


def _with_bom(content: bytes, codec: str) -> str:
    if codec == "utf-8":
        return content.decode("utf-8", "surrogateescape")
    text = _strict(content, codec)
    if text is None:
        raise UnusableFileError(
            _("The file begins as UTF-16 and is damaged further on. Save it again as CSV UTF-8.")
        )
    return text


def _as_declared(content: bytes, declared: str) -> str:
    try:
        return content.decode(declared)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = _(
            "The file is not in the encoding %(encoding)s that is declared: line %(line)s holds a byte"
            " that it lacks. Declare the right one, or save the file as CSV UTF-8."
        )
        raise UnusableFileError(sentence % {"encoding": declared, "line": line}) from error


def _mostly_utf8(content: bytes) -> str | None:
    """Return a text that is UTF-8 in most lines, such as a file pasted together from others."""
    lines = [line for line in re.split(rb"[\r\n]+", content) if not line.isascii()]
    good = sum(_strict(line, "utf-8") is not None for line in lines)
    if good and good >= len(lines) - good:
        return content.decode("utf-8", "surrogateescape")
    return None


def _strict(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None


def _is_wide(content: bytes) -> bool:
    """Return True for UTF-16 without a byte order mark, where many bytes are zero."""
    return content[:4000].count(0) > len(content[:4000]) // 4


def _looks_encoded(content: bytes) -> bool:
    """Return True if ASCII bytes encode other letters (ISO 2022)."""
    return b"\x1b$" in content
