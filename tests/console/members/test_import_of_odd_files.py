"""Files in which some people, or all, are not imported, and files that do not name their columns."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client
from openpyxl import Workbook

from koinonia.models import AuditEntry, Church, Member, MemberFile
from tests.console.members.test_import import preview, upload

BOB = "Name,Mobile,Status,Inactive Reason\nBob,3125550101,Active,\n"
DEE = "Dee,3125550102,Inactive,Deceased\n"
INA = "Ina,3125550103,Inactive,Moved\n"
TIM = "Tim,12,Active,\n"


def figures(page: str) -> dict[str, str]:
    """Return the figures of a page by their label."""
    pairs = [part.split("</div>")[0] for part in page.split("<div><dt>")[1:]]
    return {
        pair.split("</dt>")[0]: pair.split("<dd>")[1].split("</dd>")[0].split(">")[-1] or
        pair.split("</a>")[0].split(">")[-1]
        for pair in pairs
    }  # fmt: skip


def test_people_who_are_not_imported_are_counted_and_not_said_to_be_here(
    sender: Client, grace: Church
) -> None:
    path = upload(sender, BOB + DEE + INA + TIM + "Bob,3125550101,Active,\n")
    expected = {"New": "1", "Changed": "0", "Already here": "1", "Not imported": "3",
                "Opted out by the file": "0"}  # fmt: skip
    for _ in range(2):  # The second opening reads the kept plan.
        page = sender.get(path).content.decode()
        assert figures(page) == expected
        assert 'href="#remarks"' in page
        assert 'id="remarks"' in page
    sender.post(path + "start/", {"agreed": "1"})
    assert figures(sender.get(path).content.decode()) == expected
    detail = AuditEntry.objects.get(action="members.imported").detail
    assert (detail["created"], detail["skipped"], detail["not_imported"]) == (1, 1, 3)


def test_an_import_of_an_older_release_has_no_count_of_them(sender: Client, grace: Church) -> None:
    path = upload(sender, BOB + TIM)
    sender.post(path + "start/", {"agreed": "1"})
    file = MemberFile.objects.get()
    for name in ("departed", "rejected"):
        del file.report[name], file.progress[name]
    file.save()
    assert figures(sender.get(path).content.decode())["Not imported"] == "0"


@pytest.mark.parametrize(
    ("content", "why"), [("Name,Mobile\n", False), ("Name,Mobile\nTim,12\n", True)]
)
def test_a_file_without_anybody_to_import_says_so(
    sender: Client, grace: Church, content: str, why: bool
) -> None:
    page = sender.get(upload(sender, content)).content.decode()
    assert "Nobody in this file can be imported." in page
    assert ("The lines below say why." in page) is why
    assert "What would happen" not in page


def test_the_first_line_can_be_a_person(sender: Client, grace: Church) -> None:
    path = upload(sender, "Ann,Lee,3125550101\nBob,Lee,3125550102\n")
    found = preview(sender, path)
    assert not found.has_header
    page = sender.get(path).content.decode()
    assert "Or say below what each column holds." in page
    assert 'name="no_header" value="1" checked' in page
    chosen = {"line": "1", "no_header": "1", "column-0": "first_name", "column-1": "last_name",
              "column-2": "phone"}  # fmt: skip
    sender.post(path, chosen)
    found = preview(sender, path)
    assert [person.name for person in found.people] == ["Ann Lee", "Bob Lee"]
    assert [column.header for column in found.columns] == ["Column 1", "Column 2", "Column 3"]
    sender.post(path + "start/", {"agreed": "1"})
    assert sorted(member.name for member in Member.objects.all()) == ["Ann Lee", "Bob Lee"]


def test_a_line_of_names_is_no_person(sender: Client, grace: Church) -> None:
    path = upload(sender, "Kontakt,Rufname\n3125550101,Ann\n")
    assert preview(sender, path).has_header
    sender.post(path, {"line": "1", "column-0": "phone", "column-1": "first_name"})
    assert [person.name for person in preview(sender, path).people] == ["Ann"]


def test_the_columns_of_a_workbook_without_names_are_numbered(
    sender: Client, grace: Church, workbook: bytes
) -> None:
    path = upload(sender, workbook, "people.xlsx")
    sender.post(path, {"no_header": "1", "column-0": "full_name", "column-1": "phone"})
    found = preview(sender, path)
    assert [person.name for person in found.people] == ["Ann Lee", "Bob Lee"]


@pytest.fixture
def workbook() -> bytes:
    book, content = Workbook(), BytesIO()
    sheet = book.create_sheet("People", 0)
    for row in (["Ann Lee", 13125550101], ["Bob Lee", 13125550102]):
        sheet.append(row)
    book.save(content)
    return content.getvalue()


def test_remarks_name_the_fields_as_the_page_does(sender: Client, grace: Church) -> None:
    path = upload(sender, "First Name,Mobile\nAnn,3125550101\nBob,\n")
    for address in (path, path + "report/"):
        said = sender.get(address)
        text = b"".join(said) if said.streaming else said.content
        assert b"Mobile number: It is empty." in text
        assert b"phone: It is empty." not in text
