"""``GET …/members/export/``."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import OptOut
from delivery.opt_outs import opt_out
from koinonia.ids import encode
from koinonia.models import Church, Group, Member
from koinonia.people import export
from tests.support import cast

URL = "/api/v1/churches/grace/members/export/"


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


def test_the_export_is_a_file_that_the_import_reads(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    anna.groups.add(choir, Group.objects.create(church=grace, name="Altar"))
    opt_out(grace.pk, ben.phone, OptOut.Source.STAFF, now=timezone.now())
    answer = sender.get(URL)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "grace-members.csv" in answer.headers["Content-Disposition"]
    content = answer.getvalue()
    first, second = csv.DictReader(StringIO(content.decode()))
    assert (first["first_name"], first["groups"], first["opted_out"]) == (
        "Anna",
        "Altar; Choir",
        "no",
    )
    assert (second["first_name"], second["opted_out"]) == ("Ben", "yes")
    again = sender.post(
        "/api/v1/churches/grace/members/import/", content, content_type="text/csv"
    ).json()
    assert (again["created"], again["updated"], again["skipped"], again["errors"]) == (0, 0, 2, [])


@pytest.mark.parametrize(
    "names",
    [
        ["Ushers; 9 am"],
        ["Altar", "Ushers; 9 am", "Youth"],
        ["Bread, wine; and talk", "Choir"],
        ['"Kids"', "Youth"],
        ['"Kids"'],
        ['The "Kids"; 3', 'The "Old"'],
        ["A ::: B", "C || D", "E >> F"],
        ["=1+1; 2", "-; -"],
        ["'Tis", "; both ;"],
    ],
)
def test_groups_of_any_name_come_back(
    sender: APIClient, grace: Church, anna: Member, names: list[str]
) -> None:
    for name in names:
        anna.groups.add(Group.objects.create(church=grace, name=name))
    content = sender.get(URL).getvalue()
    grace.groups.all().delete()
    sender.post("/api/v1/churches/grace/members/import/", content, content_type="text/csv")
    assert sorted(group.name for group in anna.groups.all()) == sorted(names)


def test_no_cell_of_groups_is_a_formula(sender: APIClient, grace: Church, anna: Member) -> None:
    anna.groups.add(Group.objects.create(church=grace, name="=1+1; 2"))
    (row,) = rows(sender.get(URL))
    assert row["groups"] == '"=1+1; 2"'


@pytest.mark.parametrize("sign", "=+-@")
def test_no_cell_is_a_formula(sender: APIClient, grace: Church, sign: str) -> None:
    cast.member(grace, f"{sign}1+1", "+13125550111")
    (row,) = rows(sender.get(URL))
    assert row["first_name"] == f"'{sign}1+1"
    assert row["phone"] == "'+13125550111"


def test_the_export_follows_the_query(
    viewer: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(ben)
    assert [row["first_name"] for row in rows(viewer.get(URL, {"search": "lee"}))] == ["Anna"]
    found = viewer.get(URL, {"group": encode(choir.pk)})
    assert [row["first_name"] for row in rows(found)] == ["Ben"]


def test_a_long_list_is_read_in_parts(
    viewer: APIClient, grace: Church, hope: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_AT_ONCE", 2)
    for number in range(5):
        cast.member(grace, f"M{number}", f"+1312555011{number}")
    cast.member(hope, "Olga", "+13125550211")
    assert [row["first_name"] for row in rows(viewer.get(URL))] == [f"M{n}" for n in range(5)]


def test_a_user_of_another_church_finds_no_export(
    as_user: Any, hope_owner: Any, grace: Church
) -> None:
    assert as_user(hope_owner).get(URL).status_code == 404
