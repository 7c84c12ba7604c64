"""Merged cells, uncalculated formulas and sheet names of workbooks."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.utils import timezone
from openpyxl import Workbook

from delivery.models import OptOut
from koinonia.member_import.file import import_members
from koinonia.member_import.table import UnusableFileError
from koinonia.models import Church
from tests.koinonia.member_import.reading import rows_of


def saved(book: Workbook) -> bytes:
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def book_of(*rows: list[object], title: str = "People") -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def test_a_merged_cell_counts_in_each_of_its_rows() -> None:
    book = book_of(
        ["First", "Last", "Phone", "Opted out"],
        ["Ann", "Lee", "3125550101", "yes"], ["Ben", None, "3125550102", None],
        ["Tim", "Roe", "3125550103", None],
    )  # fmt: skip
    book.active.merge_cells("D2:D3")  # type: ignore[union-attr]
    book.active.merge_cells("B2:B3")  # type: ignore[union-attr]
    rows = rows_of(saved(book))
    assert [row.opted_out for row in rows] == [True, True, False]
    assert [row.person.last_name for row in rows if row.person] == ["Lee", "Lee", "Roe"]


def test_a_formula_without_a_value_is_not_an_empty_cell() -> None:
    book = book_of(
        ["First", "Phone", "Opted out"],
        ["Ann", "3125550101", '=IF(1,"yes","no")'], ["Ben", "3125550102", "no"],
        ["=A2", "3125550103", None], ["Tim", "=B2", "no"],
    )  # fmt: skip
    ann, ben, third, tim = rows_of(saved(book))
    assert (ann.person, third.person, tim.person) == (None, None, None)
    assert ben.person
    assert "#FORMULA!" in ann.remarks[0]


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#NAME?"])
def test_a_formula_error_is_not_a_name_or_a_group(value: str) -> None:
    rows = rows_of(f"first_name,phone,groups\n{value},3125550101,\nAnn,3125550102,{value}\n")
    assert [row.person for row in rows] == [None, None]


@pytest.mark.parametrize("title", ["Do Not Text", "Opted Out", "SMS opt-outs", "Unsubscribed"])
def test_a_sheet_named_unsubscribed_opts_its_people_out(grace: Church, title: str) -> None:
    book = book_of(["First", "Phone"], ["Ann", "3125550101"], title=title)
    import_members(grace, saved(book), now=timezone.now())
    assert OptOut.objects.filter(tenant=grace, number="+13125550101").exists()


def test_an_ignored_sheet_of_opt_outs_rejects_the_file(grace: Church) -> None:
    book = book_of(["First", "Phone"], ["Ann", "3125550101"])
    book.create_sheet("Do not text").append(["3125550101"])
    with pytest.raises(UnusableFileError, match="'Do not text' seems to list people who said no"):
        import_members(grace, saved(book), now=timezone.now())


@pytest.mark.parametrize("name", ["Do Not Text list.csv", "opt-outs 2026.csv", "DNC.csv"])
def test_a_file_named_unsubscribed_opts_its_people_out(grace: Church, name: str) -> None:
    text = b"first_name,phone\nAnn,3125550101\n"
    import_members(grace, text, now=timezone.now(), file_name=name)
    assert OptOut.objects.filter(tenant=grace, number="+13125550101").exists()


@pytest.mark.parametrize("name", ["people with opt-out column.csv", "opt-outs removed.csv"])
def test_a_file_name_with_a_condition_is_rejected(grace: Church, name: str) -> None:
    with pytest.raises(UnusableFileError, match="The name of the file"):
        import_members(
            grace, b"first_name,phone\nAnn,3125550101\n", now=timezone.now(), file_name=name
        )


@pytest.mark.parametrize("cell", ["<c><v>x12</v></c>", '<c t="s"><v>7777</v></c>'])
def test_a_broken_cell_far_down_is_reported_with_a_sentence(cell: str) -> None:
    rows: list[list[object]] = [[f"Ann{number}", "3125550101"] for number in range(30)]
    content = saved(book_of(["First", "Phone"], *rows))
    stream = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(stream, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", f"<row>{cell}</row></sheetData>".encode())
            new.writestr(entry, data)
    with pytest.raises(UnusableFileError, match="cannot be read"):
        rows_of(stream.getvalue())
