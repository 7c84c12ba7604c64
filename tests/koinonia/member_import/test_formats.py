"""Formats: CSV dialects, workbooks, vCards, and errors for other formats."""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import Workbook

from koinonia.member_import.file import import_members, read_table
from koinonia.member_import.table import MAX_COLUMNS, UnusableFileError
from koinonia.models import Church
from tests.koinonia.member_import.reading import people_in, remarks_in, rows_of

ANN = ("Ann", "Lee", "+13125550101")
BEN = ("Ben", "Li", "+13125550102")
ROWS = [
    ["First Name", "Last Name", "Mobile"],
    ["Ann", "Lee", "3125550101"],
    ["Ben", "Li", "3125550102"],
]


def text(delimiter: str, rows: list[list[str]] = ROWS) -> str:
    return "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("above", ["", "\ufeff", "Members of Grace Church\r\n\r\n"])
def test_each_separator_is_detected(delimiter: str, above: str) -> None:
    assert people_in(above + text(delimiter)) == [ANN, BEN]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_a_sep_line_names_the_separator(line: str) -> None:
    rows = [["First Name, given", "First Name", "Mobile"], ["x", "Ann", "3125550101"]]
    assert people_in(f"{line}\r\n{text(';', rows)}") == [("Ann", "", "+13125550101")]


def test_a_sep_line_can_name_an_unusual_separator() -> None:
    assert people_in("sep=^\r\n" + text("^")) == [ANN, BEN]


def test_commas_in_most_cells_do_not_change_the_separator() -> None:
    rows = [["Name", "Phone"], *([f"Lee, Ann {'abcdefgh'[i]}", f"312555010{i}"] for i in range(8))]
    assert len(people_in(text(";", rows))) == 8


def test_values_in_unnamed_columns_are_reported(grace: Church) -> None:
    content = b"First Name,,Mobile,,Notes\nAnn,,3125550101,No,x\nBen,,3125550102,,\n"
    report = import_members(grace, content, now=timezone.now())
    assert report.created == 2
    assert report.ignored_columns == ["Notes", "column 4, which has no name"]


def test_a_line_above_the_header_is_reported() -> None:
    remarks = remarks_of_table("Members of Grace Church,,\n" + text(","))
    assert remarks == [(1, "This line stands above the names of the columns; it is not read.")]


@pytest.mark.parametrize("above", [11, 49])
def test_a_header_below_many_lines_of_a_title_is_found(above: int) -> None:
    title = "".join(f"Report of the office, line {line}\n" for line in range(above))
    assert people_in(title + text(",")) == [ANN, BEN]
    title_rows = [[line] for line in title.splitlines()]
    assert people_in(workbook(("People", [*title_rows, *ROWS]))) == [ANN, BEN]


def test_the_error_says_how_far_down_the_header_is_looked_for() -> None:
    title = "".join(f"Report of the office, line {line}\n" for line in range(50))
    rows = [*([line] for line in title.splitlines()), *ROWS]
    for content in (title.encode() + text(",").encode(), workbook(("People", rows))):
        with pytest.raises(UnusableFileError, match="One of the first 50 lines must name"):
            read_table(content)


def remarks_of_table(content: str) -> list[tuple[int, str]]:
    return read_table(content.encode()).remarks


def workbook(*sheets: tuple[str, list[list[Any]]], hidden: tuple[str, ...] = ()) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if title in hidden:
            sheet.sheet_state = "hidden"
    saved = BytesIO()
    book.save(saved)
    return saved.getvalue()


def changed(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """Return the workbook with one part replaced by another program's version."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for entry in source.namelist():
            part = source.read(entry)
            if entry == name:
                assert old in part
                part = part.replace(old, new)
            copy.writestr(entry, part)
    return target.getvalue()


def test_a_workbook_keeps_all_digits_of_numbers() -> None:
    rows: list[list[Any]] = [
        ["First Name", "Mobile", "Allow SMS?", "Joined"],
        ["Ann", 3125550101, True, date(2026, 1, 2)], ["Ben", 13125550102.0, False, None],
        ["Zoë", 491511234567, 1, None], ["Tom", 1.23456789012346e17, 1, None],
    ]  # fmt: skip
    read = rows_of(workbook(("People", rows)))
    assert [(row.phone, row.opted_out) for row in read[:2]] == [
        ("+13125550101", False), ("+13125550102", True),
    ]  # fmt: skip
    assert "'491511234567'" in read[2].remarks[0]
    assert "cut off digits" in read[3].remarks[0]


@pytest.mark.parametrize("stated", [b'ref="A1"', b'ref="A1:XFD1048576"'])
def test_a_wrong_size_in_a_workbook_hides_no_row(stated: bytes) -> None:
    content = workbook(("People", list(ROWS)))
    content = changed(content, "xl/worksheets/sheet1.xml", b'ref="A1:C3"', stated)
    assert people_in(content) == [ANN, BEN]


def test_the_first_sheet_with_people_is_read_and_others_are_reported() -> None:
    content = workbook(
        ("Giving", [["Date", "Sum"], [1, 2]]), ("People", list(ROWS)), ("Tags", [["x"]])
    )
    assert people_in(content) == [ANN, BEN]
    assert read_table(content).left_out == ["sheet 'Giving'", "sheet 'Tags'"]


def test_a_hidden_sheet_comes_last_and_is_reported() -> None:
    old = [["First Name", "Mobile"], ["Old", "3125550109"]]
    content = workbook(("Old", old), ("People", list(ROWS)), hidden=("Old",))
    assert people_in(content) == [ANN, BEN]
    content = workbook(("Giving", [["Date"]]), ("Old", old), hidden=("Old",))
    assert people_in(content) == [("Old", "", "+13125550109")]
    assert "hidden" in read_table(content).remarks[0][1]


def test_a_too_wide_sheet_is_rejected_with_a_sentence() -> None:
    columns = ["First Name", "Mobile", *(f"Column {at}" for at in range(MAX_COLUMNS))]
    with pytest.raises(UnusableFileError, match="columns"):
        people_in(workbook(("People", [columns])))
    with pytest.raises(UnusableFileError, match="columns"):
        people_in(",".join(columns))


def test_a_zip_bomb_is_rejected_without_unpacking() -> None:
    content = workbook(("People", list(ROWS)))
    padded = BytesIO(content)
    with zipfile.ZipFile(padded, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/media/image1.png", b"\x00" * (41 * 2**20))
    with pytest.raises(UnusableFileError, match="40 MB"):
        people_in(padded.getvalue())


def test_a_small_workbook_with_much_content_is_rejected() -> None:
    padded = BytesIO(workbook(("People", list(ROWS))))
    with zipfile.ZipFile(padded, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * (8 * 2**20))
    assert len(padded.getvalue()) < 20_000
    with pytest.raises(UnusableFileError, match="4 MB"):
        people_in(padded.getvalue())


def ole(entry: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500 + entry.encode("utf-16-le")


def zipped(**files: bytes) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return target.getvalue()


REFUSED = [
    (b"", "empty"),
    (b" \r\n\r\n", "empty"),
    (ole("Workbook"), r"\.xls\).*\.xlsx"),
    (ole("EncryptedPackage"), "password"),
    (b"<html><table><tr><td>First Name</td></tr></table></html>", "web page"),
    (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "web page or XML"),
    ("<html><table>".encode("utf-16"), "web page"),
    (b"%PDF-1.7 ...", "PDF"),
    (b"{\\rtf1 Ann Lee}", "RTF"),
    (b"\x89PNG\r\n", "picture"),
    (b"\x1f\x8b\x08\x00", "gzip"),
    (zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), r"\.ods"),
    (zipped(subscribed_csv=b"a", unsubscribed_csv=b"b"), "zip archive"),
    (zipped(Index__Document=b"a"), "Numbers"),
    (zipped(word__document=b"a"), "document"),
    (zipped(xl__workbook=b"a")[:40], "damaged"),
    (workbook(("People", list(ROWS)))[:2000], "damaged"),
    (b'[{"first_name": "Ann"}]', "JSON"),
    (b"BEGIN:VCALENDAR\r\n", "calendar"),
    (b"dn: cn=Ann\r\ncn: Ann\r\n", "LDIF"),
    (b"\x00\x01\x00\x00Standard Jet DB", "Access"),
    (b"first_name,last_name\nAnn,Lee\n", "Missing: phone"),
    (b"phone\n3125550101\n", "Missing: first_name"),
    (b"Ann,Lee,3125550101\n", "Missing: first_name.*phone"),
    (b"first_name,phone,phone\n", "twice: phone"),
]


# The ids are numbers: a zip contains the time, so workers would collect different test names.
@pytest.mark.parametrize(("content", "sentence"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_the_error_names_the_unsupported_format(content: bytes, sentence: str) -> None:
    with pytest.raises(UnusableFileError, match=sentence):
        people_in(content)


def test_a_workbook_with_a_broken_sheet_is_rejected_with_a_sentence() -> None:
    content = changed(
        workbook(("People", list(ROWS))), "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData"
    )
    with pytest.raises(UnusableFileError, match="cannot be read"):
        people_in(content)


VCARDS = """\
BEGIN:VCARD
VERSION:3.0
N:Lee;Ann;Marie;;Jr.
FN:Ann Marie Lee
item1.TEL;type=pref:+1 (312) 555-0101
item1.X-ABLabel:_$!<Mobile>!$_
TEL;type=HOME;type=VOICE:312 555 0109
CATEGORIES:Choir,Youth
PHOTO;ENCODING=b;TYPE=JPEG:AA!!not base64
 AAAA
NOTE:TEL:(708) 555-0123\\nSee also
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Mu=C3=B1oz;Jos=C3=A9;;;
TEL;HOME;FAX:312-555-0109
TEL;CELL;PREF:312-555-0102
NOTE;ENCODING=QUOTED-PRINTABLE:first=0D=0A=
second
END:VCARD\x20
BEGIN:VCARD
VERSION:4.0
FN:Zoë Day
TEL;VALUE=uri;TYPE="voice,cell":tel:+1-312-555-0103
BEGIN:VCARD
VERSION:3.0
FN:Choir
X-ADDRESSBOOKSERVER-KIND:group
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Corner Bakery
X-ABShowAs:COMPANY
TEL:312-555-0105
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:Roe;Tom;;;
TEL;TYPE=work:312-555-0104
END:VCARD
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_vcards_of_each_version_are_read(end: str, mark: str) -> None:
    rows = rows_of(mark + VCARDS.replace("\n", end))
    people = [row.person for row in rows if row.person]
    assert [(p.first_name, p.last_name, p.phone, p.groups) for p in people] == [
        ("Ann", "Lee Jr.", "+13125550101", ("Choir", "Youth")),
        ("José", "Muñoz", "+13125550102", ()),
        ("Zoë", "Day", "+13125550103", ()),
        ("Tom", "Roe", "+13125550104", ()),
    ]
    remarks = [(row.line, remark) for row in rows for remark in row.remarks]
    assert [line for line, _ in remarks] == [25, 30, 36]
    assert [
        "group" in remarks[0][1],
        "company" in remarks[1][1],
        "home or work" in remarks[2][1],
    ] == [True] * 3


def test_old_vcards_in_another_encoding_are_rejected_with_names() -> None:
    card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Muñoz;José\r\nTEL;CELL:3125550101\r\nEND:VCARD\r\n"
    with pytest.raises(UnusableFileError, match="José Muñoz"):
        people_in(card.encode("cp1252"))
    assert people_in(card.encode("cp1252"), encoding="cp1252") == [
        ("José", "Muñoz", "+13125550101")
    ]


def test_remarks_name_the_line_of_the_sheet() -> None:
    content = workbook(("People", [*ROWS, [], ["Zoë", "Day", "nonsense"]]))
    assert [line for line, _ in remarks_in(content)] == [5]
