"""People by number and name; groups by name in any spelling."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from koinonia import group_lists
from koinonia.member_import import table, writing
from koinonia.member_import.file import import_members
from koinonia.member_import.name_cells import names_in
from koinonia.member_import.report import Report
from koinonia.member_import.table import UnusableFileError
from koinonia.models import Church, Group, Member
from koinonia.names import tidy
from tests.koinonia.member_import.reading import people_in, remarks_in

HEADER = "first_name,last_name,phone,groups\n"


def imported(church: Church, rows: str, header: str = HEADER, **options: Any) -> Report:
    return import_members(church, (header + rows).encode(), now=timezone.now(), **options)


def members(church: Church) -> dict[str, list[str]]:
    return {
        member.name: sorted(group.name for group in member.groups.all())
        for member in church.members.prefetch_related("groups")
    }


def test_two_names_at_one_number_are_two_people(grace: Church) -> None:
    report = imported(grace, "Ann,Smith,3125550101,Parents\nTim,Smith,3125550101,Youth\n")
    assert (report.created, report.updated, report.errors) == (2, 0, [])
    assert members(grace) == {"Ann Smith": ["Parents"], "Tim Smith": ["Youth"]}


def test_another_name_at_a_known_number_is_another_person(grace: Church, anna: Member) -> None:
    report = imported(grace, "Tim,Lee,3125550111,\n")
    assert (report.created, report.updated) == (1, 0)
    assert members(grace) == {"Anna Lee": [], "Tim Lee": []}


@pytest.mark.parametrize(("row", "name"), [("Ruth,Lee", "Ruth Lee"), ("Ruth,", "Ruth")])
def test_a_member_who_joined_by_a_keyword_gets_a_name_from_the_file(
    grace: Church, row: str, name: str
) -> None:
    Member.objects.create(church=grace, last_name="+13125550111", phone="+13125550111")
    report = imported(grace, f"{row},3125550111,\n")
    assert (report.created, report.updated) == (0, 1)
    assert set(members(grace)) == {name}


@pytest.mark.parametrize("name", ["anna,lee", "ANNA,LEE", "Ánna,Lée"])
def test_case_and_accents_do_not_make_another_person(
    grace: Church, anna: Member, name: str
) -> None:
    report = imported(grace, f"{name},3125550111,\n")
    assert (report.created, report.updated) == (0, 1)
    assert list(members(grace)) == [name.replace(",", " ")]


def test_a_missing_last_name_matches_any(grace: Church, anna: Member) -> None:
    report = imported(grace, "Anna,3125550111\n", header="first_name,phone\n")
    assert (report.created, report.updated, report.skipped) == (0, 0, 1)
    imported(grace, "Ben,3125550102\n", header="first_name,phone\n")
    assert imported(grace, "Ben,Li,3125550102,\n").updated == 1
    assert set(members(grace)) == {"Anna Lee", "Ben Li"}


def test_rows_of_one_person_are_merged(grace: Church) -> None:
    report = imported(
        grace, "Ann,Lee,3125550101,Choir\nAnn,Lee,3125550101,Youth\nAnn,Lee,3125550101,\n"
    )
    assert (report.created, report.updated, report.skipped) == (1, 1, 1)
    assert members(grace) == {"Ann Lee": ["Choir", "Youth"]}


def test_spellings_of_one_group_are_merged(grace: Church) -> None:
    Group.objects.create(church=grace, name="Prayer Team")
    report = imported(
        grace, "Ann,Lee,3125550101,prayer team\nBen,Li,3125550102,PRAYER\u200b TEAM;Choir;choir\n"
    )
    assert report.new_groups == ["Choir"]
    assert members(grace) == {"Ann Lee": ["Prayer Team"], "Ben Li": ["Choir", "Prayer Team"]}


def test_commas_split_known_names_only(grace: Church) -> None:
    Group.objects.create(church=grace, name="Choir")
    Group.objects.create(church=grace, name="Bread, wine and talk")
    rows = (
        'Ann,Lee,3125550101,"Choir, Youth"\nBen,Li,3125550102,Youth\n'
        'Zoë,Day,3125550103,"Bread, Wine and Talk"\nTom,Roe,3125550104,"Knitting, Sewing"\n'
    )
    report = imported(grace, rows)
    assert report.new_groups == ["Knitting, Sewing", "Youth"]
    assert members(grace) == {
        "Ann Lee": ["Choir", "Youth"], "Ben Li": ["Youth"], "Zoë Day": ["Bread, wine and talk"],
        "Tom Roe": ["Knitting, Sewing"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "groups"),
    [
        ("Labels", "* myContacts ::: Choir ::: Youth", ["Choir", "Youth"]),
        ("Tags", '"""VIP"",""Blog, old"""', ["Blog, old", "VIP"]),
        ("Tag Name", "Ministries>>Choir", ["Choir"]),
        ("Groups", "Choir||Youth", ["Choir", "Youth"]),
        ("Categories", "Choir; Youth;;", ["Choir", "Youth"]),
        ("groups", '"""Ushers; 9 am""; Choir"', ["Choir", "Ushers; 9 am"]),
        ("groups", '"""Ushers; 9 am"",""Blog"""', ["Blog", "Ushers; 9 am"]),
        ("groups", '"""Kids""; Choir"', ['"Kids"', "Choir"]),
        ("groups", '"""Kids"" of 9; Choir"', ['"Kids" of 9', "Choir"]),
        ("groups", '"Choir; ""Kids"', ['"Kids', "Choir"]),
    ],
)
def test_separators_of_other_programs_split_groups(
    grace: Church, column: str, cell: str, groups: list[str]
) -> None:
    imported(grace, f"Ann,3125550101,{cell}\n", header=f"first_name,phone,{column}\n")
    assert members(grace) == {"Ann": groups}


@given(st.lists(st.text("ab \"'>;|:,=-*", max_size=8).map(tidy).filter(bool), unique=True))
def test_a_written_list_of_groups_gives_the_same_names(names: list[str]) -> None:
    assert names_in(group_lists.written(names)) == names


FULL_NAMES = [
    ("Ann Lee", "Ann", "Lee"),
    ('"Perez, Ana Maria"', "Ana Maria", "Perez"),
    ('"Smith Jr., John"', "John", "Smith Jr."),
    ('"O\'Neil, Pat ""Patsy"""', "Pat", "O'Neil"),
    ("Dr. Martin Luther King Jr.", "Martin Luther", "King Jr."),
    ("José Ortega y Gasset", "José", "Ortega y Gasset"),
    ("John Q. Public", "John", "Public"),
    ('"van den Berg, Anna"', "Anna", "van den Berg"),
    ("Madonna", "Madonna", ""),
]


@pytest.mark.parametrize(("cell", "first", "last"), FULL_NAMES)
def test_a_full_name_is_split(cell: str, first: str, last: str) -> None:
    assert people_in(f"Name,Phone\n{cell},3125550101\n") == [(first, last, "+13125550101")]


@pytest.mark.parametrize(
    "cell",
    ["John & Mary Smith", "Lawrence & Patty Smith", "John and Mary Smith", '"Smith, John & Mary"',
     "Juan y María Pérez", "Hans und Greta Groß", "Mr. and Mrs. Smith", "John + Mary", "John/Mary Roe"],
)  # fmt: skip
def test_a_couple_in_one_cell_is_rejected_with_the_reason(cell: str) -> None:
    text = f"Name,Phone\n{cell},3125550101\n"
    assert people_in(text) == []
    assert "two people" in remarks_in(text)[0][1]


def test_names_are_cleaned_and_limited() -> None:
    text = f"{HEADER}\u202dJose\u0301\u202c  Luis,Day\x07,3125550101,\n\u200b,Li,3125550102,\n"
    text += f"{'A' * 101},Li,3125550103,\nA\x00,Li,3125550104,\n"
    assert people_in(text) == [("José Luis", "Day", "+13125550101")]
    assert [(at, sentence.split(":")[0]) for at, sentence in remarks_in(text)] == [
        (3, "first_name"), (4, "first_name"), (5, "first_name"),
    ]  # fmt: skip


def test_the_people_at_one_number_are_limited(grace: Church) -> None:
    rows = "".join(f"P{number},Lee,3125550101,\n" for number in range(52))
    report = imported(grace, rows)
    assert (report.created, [line for line, _ in report.errors]) == (50, [52, 53])
    assert "More than 50 people" in report.errors[0][1]
    again = imported(grace, "P51,Lee,3125550101,\n")
    assert (again.created, [line for line, _ in again.errors]) == (0, [2])


def names(count: int) -> str:
    return ";".join(f"Group {number}" for number in range(count))


def test_the_groups_of_a_person_a_file_and_a_church_are_limited(grace: Church) -> None:
    report = imported(grace, f"Ann,Lee,3125550101,{names(51)}\n")
    assert "at most 50" in report.errors[0][1]
    rows = "".join(f"Ann,Lee,3125550101,Group {number}\n" for number in range(501))
    with pytest.raises(UnusableFileError, match="more than 500 groups"):
        imported(grace, rows)
    Group.objects.bulk_create(Group(church=grace, name=f"Old {number}") for number in range(999))
    with pytest.raises(UnusableFileError, match="more than 1,000"):
        imported(grace, "Ann,Lee,3125550101,New one;New two\n")
    assert not grace.members.exists()
    assert imported(grace, "Ann,Lee,3125550101,Old 7;New one\n").created == 1


def test_two_megabytes_of_group_names_are_rejected_quickly(grace: Church) -> None:
    row = "Ann,Lee,3125550101," + ";".join(f"{number:x}" for number in range(49)) + "\n"
    rows = "".join(row.replace("Ann", f"Ann {number}") for number in range(12_000))
    assert len(rows) > 1_800_000
    with pytest.raises(UnusableFileError, match="into groups more than 200,000 times"):
        imported(grace, rows)
    various = "".join(
        f"Ann,Lee,3125550101,{n:x};{n + 1:x};{n + 2:x}\n" for n in range(0, 40_000, 3)
    )
    with pytest.raises(UnusableFileError, match="more than 500 groups"):
        imported(grace, various)


def test_rows_and_remarks_are_limited(grace: Church, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableFileError, match="50,000 lines"):
        imported(grace, "A,B,bad,\n" * (table.MAX_ROWS + 1))
    report = imported(grace, "A,B,bad,\n" * 6000, dry_run=True)
    assert len(report.errors) == table.MAX_REMARKS + 1
    assert "1,000 more remarks" in report.errors[-1][1]


def test_a_database_error_is_reported_and_further_slices_are_written(
    grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 2)
    rows = "".join(f"P{number},Lee,312555010{number},Choir\n" for number in range(6))
    real = Member.objects.bulk_create

    def refuse_some(*args: Any, **options: Any) -> Any:
        people = list(args[0])
        if any(person.first_name == "P2" for person in people):
            raise DatabaseError("no")
        return real(people, **options)

    monkeypatch.setattr(Member.objects, "bulk_create", refuse_some)
    report = imported(grace, rows)
    assert report.created == 4
    assert [line for line, _ in report.errors] == [4, 5]
    assert all("Import the file again" in sentence for _, sentence in report.errors)
    assert set(members(grace)) == {"P0 Lee", "P1 Lee", "P4 Lee", "P5 Lee"}
    assert {tuple(groups) for groups in members(grace).values()} == {("Choir",)}
