"""Detection of a file's format by its first bytes: names and media types are often wrong."""

from __future__ import annotations

import re
import zipfile
from enum import Enum
from io import BytesIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from koinonia.member_import.table import UnusableFileError


class Kind(Enum):
    CSV = "csv"
    WORKBOOK = "xlsx"
    VCARDS = "vcf"


_SAVE_AS_CSV = _("Open it in the program it is from and save it as CSV UTF-8 or as .xlsx.")
_FROM_EXCEL = _("Open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx).")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_ENTRY = "EncryptedPackage".encode("utf-16-le")
_SIGNATURES: tuple[tuple[bytes, *tuple[str | Promise, ...]], ...] = (
    (b"%PDF", _("This is a PDF, which holds no table. Export the list as CSV or .xlsx instead.")),
    (b"{\\rtf", _("This is a text document (RTF)."), _SAVE_AS_CSV),
    (b"\x1f\x8b", _("This is a compressed file (gzip). Unpack it and send the file inside.")),
    (b"7z\xbc\xaf\x27\x1c", _("This is a 7z archive. Unpack it and send the file inside.")),
    (b"Rar!", _("This is a RAR archive. Unpack it and send the file inside.")),
    (b"\x89PNG", _("This is a picture. Export the list as CSV or .xlsx instead.")),
    (b"\xff\xd8\xff", _("This is a picture. Export the list as CSV or .xlsx instead.")),
    (b"GIF8", _("This is a picture. Export the list as CSV or .xlsx instead.")),
    (
        b"\x00\x01\x00\x00Standard",
        _("This is an Access database. Export its table of people as CSV."),
    ),
    (b"SQLite format 3", _("This is a database. Export its table of people as CSV.")),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|meta|\?xml|style|div)", re.IGNORECASE)
_VCARD = re.compile(rb"\s*BEGIN\s*:\s*VCARD", re.IGNORECASE)
_CALENDAR = re.compile(rb"\s*BEGIN\s*:\s*VCALENDAR", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\{\s*\"|\[\s*[\{\[])")
_LDIF = re.compile(rb"\s*(?:version:\s*1\s+)?dn::?\s", re.IGNORECASE)
_UTF8_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


def kind_of(content: bytes) -> Kind:
    """Return the format of ``content``.

    Raise UnusableFileError for another format; the message names it and says how to save the file.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise UnusableFileError(str(_("The file is empty.")))
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _inside_zip(content)
    if content.startswith(_OLE):
        raise UnusableFileError(_ole(content))
    for signature, *sentences in _SIGNATURES:
        if content.startswith(signature):
            raise UnusableFileError(_joined(*sentences))
    return _of_text(_start(content))


def _joined(*sentences: str | Promise) -> str:
    return " ".join(map(str, sentences))


def _start(content: bytes) -> bytes:
    """Return the first characters as ASCII; decode UTF-16 with a byte order mark."""
    if content.startswith(_WIDE_BOMS):
        return content[:2000].decode("utf-16", "replace").encode("ascii", "replace")
    return content[:1000].removeprefix(_UTF8_BOM)


def _of_text(start: bytes) -> Kind:
    if _VCARD.match(start):
        return Kind.VCARDS
    if _MARKUP.match(start):
        raise UnusableFileError(
            _joined(_("This is a web page or XML, despite its name."), _FROM_EXCEL)
        )
    if _CALENDAR.match(start):
        raise UnusableFileError(
            str(_("This is a calendar. Export the people as CSV or vCards (.vcf)."))
        )
    if _JSON.match(start):
        raise UnusableFileError(_joined(_("This is JSON."), _SAVE_AS_CSV))
    if _LDIF.match(start):
        raise UnusableFileError(
            str(_("This is LDIF. Export the address book as CSV or vCards (.vcf)."))
        )
    return Kind.CSV


def _ole(content: bytes) -> str:
    if _ENCRYPTED_ENTRY in content:
        return str(
            _(
                "This workbook is protected by a password. Open it in Excel, remove the password"
                " (File, Info, Protect Workbook) and save it again."
            )
        )
    return _joined(_("This is an old Excel or Office file (.xls)."), _FROM_EXCEL)


def _inside_zip(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()[:2000]
            mimetype = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except Exception as error:  # zipfile raises many types for damaged archives
        raise UnusableFileError(
            str(_("The file is damaged or was cut off. Save it again and send the whole file."))
        ) from error
    if any(name.startswith("xl/") and name.endswith(".bin") for name in names) and not any(
        name.endswith("workbook.xml") for name in names
    ):
        raise UnusableFileError(_joined(_("This is a binary workbook (.xlsb)."), _FROM_EXCEL))
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return Kind.WORKBOOK
    if b"opendocument.spreadsheet" in mimetype:
        raise UnusableFileError(
            str(
                _(
                    "This is an OpenDocument sheet (.ods). Save it as an Excel workbook (.xlsx) or as CSV"
                    " with the character set UTF-8."
                )
            )
        )
    if any(name.startswith("Index/") or name == "Index.zip" for name in names):
        raise UnusableFileError(
            str(_("This is a Numbers file. Export it as Excel (.xlsx) or CSV."))
        )
    if mimetype or any(name.startswith(("word/", "ppt/")) for name in names):
        raise UnusableFileError(
            _joined(_("This is a document, not a list of people."), _SAVE_AS_CSV)
        )
    raise UnusableFileError(
        str(
            _(
                "This is a zip archive. Unpack it and send the files inside one by one, with their names:"
                " a name with 'unsubscribed' opts its people out."
            )
        )
    )
