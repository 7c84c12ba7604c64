"""CSV files as people's programs write them."""

from __future__ import annotations

import csv
from io import StringIO
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from koinonia.member_import.records import UnusableFileError, records
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from delivery.models import OptOut
from delivery.opt_outs import opt_out, opted_out
from koinonia.member_import.apply import Report, import_members
from koinonia.models import Church, Group, Member, Staff
from realtime.models import Event
from tests.messy_csv import MessyCsv

HEADER = b"first_name,last_name,phone,groups\n"
URL = "/api/v1/churches/grace/members/import/"


def imported(church: Church, rows: bytes) -> Report:
    return import_members(church, HEADER + rows, now=timezone.now())


def names(church: Church) -> set[str]:
    return {member.name for member in church.members.all()}


BAD_LINES = [
    (b"A,B,nonsense,\n", "phone"),
    (b"A,B,,\n", "phone"),
    (b",B,3125550111,\n", "first_name"),
    (b"A,B,3125550111\n", "columns"),
    (b"A\x00,B,3125550111,\n", "first_name"),
    (b"A\x81,B,3125550111,\n", "Windows-1252"),
    (b'"A,B,3125550111,\n', "quotes"),
    (b"A" * 101 + b",B,3125550111,\n", "first_name"),
]


@pytest.mark.parametrize(("line", "told"), BAD_LINES)
def test_a_bad_line_is_reported_and_the_good_ones_are_kept(
    grace: Church, line: bytes, told: str
) -> None:
    report = imported(grace, b"Ann,Lee,3125550101,\n" + line + b'"Bo","Li",3125550102,\n')
    assert (report.created, [at for at, _ in report.errors]) == (2, [3])
    assert told in report.errors[0][1]
    assert names(grace) == {"Ann Lee", "Bo Li"}


def test_lines_are_counted_as_in_the_file(grace: Church) -> None:
    rows = b'"Ann\r\nMarie",Lee,3125550101,\r\n\r\nA,B,bad,\rBo,Li,3125550102,\r\n'
    report = imported(grace, rows)
    assert [at for at, _ in report.errors] == [5]
    assert names(grace) == {"Ann Marie Lee", "Bo Li"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_accents_arrive_in_either_encoding(grace: Church, encoding: str) -> None:
    text = "first_name,last_name,phone,groups\nZoë,Müller,3125550101,Café\n"
    import_members(grace, text.encode(encoding), now=timezone.now())
    assert names(grace) == {"Zoë Müller"}
    assert Group.objects.get().name == "Café"


def test_a_number_that_comes_again_is_updated_or_skipped(grace: Church, anna: Member) -> None:
    rows = b"Anna,Lee,+1 312 555 0111,\nAnna,Leeson,3125550111,Choir\nBo,Li,3125550102,\nBo,Li,(312) 5550102,\n"
    report = imported(grace, rows)
    assert (report.created, report.updated, report.skipped) == (1, 1, 2)
    anna.refresh_from_db()
    assert (anna.last_name, [group.name for group in anna.groups.all()]) == ("Leeson", ["Choir"])


def test_an_import_leaves_opt_outs_alone(grace: Church, anna: Member) -> None:
    opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    imported(grace, b"Anna,New,3125550111,\n")
    assert opted_out(grace.pk, [anna.phone]) == {anna.phone}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"name,number\nA,1\n", "first_name, last_name, phone"),
        (b"first_name;last_name;phone\n", "commas"),
        (b"first_name,last_name,phone,phone\n", "twice"),
        ("first_name".encode("utf-16"), "UTF-16"),
    ],
)
def test_an_unusable_file_says_why(grace: Church, content: bytes, told: str) -> None:
    with pytest.raises(UnusableFileError, match=told):
        import_members(grace, content, now=timezone.now())


def test_the_endpoint_takes_a_form_or_a_body(sender: APIClient, grace: Church) -> None:
    content = HEADER + b"Ann,Lee,3125550101,\nA,B,bad,\n"
    report = sender.post(URL, content, content_type="text/csv").json()
    assert (report["created"], [error["line"] for error in report["errors"]]) == (1, [3])
    again = sender.post(
        URL, {"file": SimpleUploadedFile("members.csv", content)}, format="multipart"
    )
    assert again.json()["skipped"] == 1


def test_the_endpoint_bounds_what_it_reads(sender: APIClient, grace: Church) -> None:
    huge = sender.post(URL, HEADER + b" " * 5_300_000, content_type="text/csv")
    assert huge.status_code == 413
    assert sender.post(URL, {"other": "x"}, format="multipart").status_code == 400
    assert sender.post(URL, {"file": "x"}, format="json").status_code == 415


def test_five_thousand_messy_people_take_few_queries(
    grace: Church, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    csv = MessyCsv(people=5000)
    with django_assert_max_num_queries(70):
        report = import_members(grace, csv.content, now=timezone.now())
    assert [line for line, _ in report.errors] == csv.broken_lines
    assert (report.created, report.updated, report.skipped) == (5000, 0, csv.doubles)
    assert Member.objects.count() == 5000
    again = import_members(grace, csv.content, now=timezone.now())
    assert (again.created, again.updated) == (0, 0)


def test_the_demo_is_the_same_when_it_is_seeded_again(db: None) -> None:
    for _ in range(2):
        call_command("seed_demo", password="a password for all", stdout=StringIO())
        assert [church.members.count() for church in Church.objects.all()] == [300, 300]
        assert [church.groups.count() for church in Church.objects.all()] == [4, 4]
        assert Staff.objects.count() == 4


def test_a_new_console_shows_texts_that_wait_for_an_answer(db: None, client: Client) -> None:
    call_command("seed_demo", password="a password for all", stdout=StringIO())
    client.force_login(User.objects.get(username="grace-viewer"))
    listed = client.get("/api/v1/churches/grace/conversations/").json()["results"]
    assert [item["unread_count"] for item in listed] == [1, 2, 1, 1]
    assert all(item["member"] and item["last_message"]["text"] for item in listed)
    told = Event.objects.filter(stream__key="church:grace").values_list("type", flat=True)
    assert list(told) == ["message.received"] * 5


@pytest.mark.parametrize("empty", [b"\n", b"\r\n", b" \n", b",,,\n"])
def test_no_reader_is_made_for_each_of_megabytes_of_empty_lines(empty: bytes) -> None:
    with mock.patch("csv.reader", wraps=csv.reader) as made:
        lines = [record.line for record in records(HEADER + empty * 500_000 + b"a,b")]
    assert (lines, made.call_count) == ([1, 500_002], 2)
