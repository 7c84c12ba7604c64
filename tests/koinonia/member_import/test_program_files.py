"""Unchanged exports of church programs, address books and mailers."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.utils import timezone
from openpyxl import Workbook

from delivery.models import OptOut
from koinonia.member_import.file import import_members
from koinonia.member_import.report import Report
from koinonia.models import Church
from tests.koinonia.member_import.address_books import ADDRESS_BOOKS
from tests.koinonia.member_import.church_programs import CHURCH_PROGRAMS
from tests.koinonia.member_import.program_file import Expected, ProgramFile

PROGRAMS = (*CHURCH_PROGRAMS, *ADDRESS_BOOKS)


def people_of(church: Church) -> set[Expected]:
    opted_out = set(OptOut.objects.filter(tenant=church).values_list("number", flat=True))
    return {
        Expected(
            member.name,
            member.phone,
            tuple(sorted(group.name for group in member.groups.all())),
            member.phone in opted_out,
        )
        for member in church.members.prefetch_related("groups")
    }


def check(church: Church, report: Report, file: ProgramFile) -> None:
    assert people_of(church) == set(file.people)
    assert report.created == len(file.people)
    assert [line for line, _ in report.errors] == [line for line, _ in file.remarks]
    for (_, sentence), (_, part) in zip(report.errors, file.remarks, strict=True):
        assert part in sentence
    for part in file.ignored:
        assert any(name.startswith(part) for name in report.ignored_columns), part


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.program)
def test_an_unchanged_export_is_read(grace: Church, file: ProgramFile) -> None:
    check(grace, import_members(grace, file.content, now=timezone.now()), file)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.program)
def test_the_same_export_again_changes_nothing(grace: Church, file: ProgramFile) -> None:
    import_members(grace, file.content, now=timezone.now())
    again = import_members(grace, file.content, now=timezone.now())
    assert (again.created, again.updated, again.new_groups) == (0, 0, [])
    assert people_of(grace) == set(file.people)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.program)
def test_a_workbook_gives_the_same_people(grace: Church, file: ProgramFile) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    columns = file.header.split(file.delimiter)
    sheet.append(columns)
    for row in file.rows:
        sheet.append([_typed(row.get(column, "")) for column in columns])
    saved = BytesIO()
    book.save(saved)
    check(grace, import_members(grace, saved.getvalue(), now=timezone.now()), file)


def _typed(value: str) -> object:
    """Return a cell with Excel's type: a number, a boolean or text."""
    if value in ("TRUE", "true"):
        return True
    if value in ("FALSE", "false"):
        return False
    return float(value) if value.isdecimal() and not value.startswith("0") else value or None


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.program)
def test_a_dry_run_returns_the_same_report_and_writes_nothing(
    grace: Church, file: ProgramFile
) -> None:
    preview = import_members(grace, file.content, now=timezone.now(), dry_run=True)
    assert people_of(grace) == set()
    assert not grace.groups.exists()
    assert not OptOut.objects.exists()
    assert preview == import_members(grace, file.content, now=timezone.now())
