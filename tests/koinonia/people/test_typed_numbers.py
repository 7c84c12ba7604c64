"""A search finds a number in the way in which people write it, with or without the zero of its country."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from koinonia import phone
from koinonia.console.send import finding
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.member_import.file import import_members
from koinonia.models import Church, Group, InboxState, Member
from koinonia.people.search import matching
from tests.console.conftest import signed_in
from tests.support import cast

PARIS, BERLIN, LONDON = "+33612345678", "+4930123456", "+447700900123"
ROME, MOSCOW, BUDAPEST, CHICAGO = "+390612345678", "+79123456789", "+36201234567", "+13125550101"
NUMBERS = (PARIS, BERLIN, LONDON, ROME, MOSCOW, BUDAPEST, CHICAGO)


@pytest.fixture
def abroad(grace: Church) -> None:
    for number in NUMBERS:
        cast.member(grace, "Ruth", number)
    # Digits that hold those of PARIS without its zero.
    cast.member(grace, "Ben", "+16123456789")


def found(words: str, country: str) -> list[str]:
    rows = Member.objects.filter(matching(words, country)).order_by("phone")
    return list(rows.values_list("phone", flat=True))


@pytest.mark.parametrize("country", ["US", "FR", "IT"])
@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("06 12 34 56 78", PARIS),
        ("06 12 34", PARIS),
        ("+33 (0)6 12 34 56 78", PARIS),
        ("0033 6 12 34 56 78", PARIS),
        ("(030) 123456", BERLIN),
        ("030/123456", BERLIN),
        ("030 - 1234 56", BERLIN),
        ("07700 900123", LONDON),
        ("ruth 07700 900123", LONDON),
        ("+39 06 1234 5678", ROME),
        ("06 20 123 4567", BUDAPEST),
        ("(312) 555-0101", CHICAGO),
        ("312 555 - 0101", CHICAGO),
        ("0101", CHICAGO),
    ],
)
@pytest.mark.usefixtures("abroad")
def test_a_member_is_found_by_the_number_as_it_is_written(
    typed: str, number: str, country: str
) -> None:
    expected = {number, ROME} if typed.startswith("06 12 34") else {number}
    assert set(found(typed, country)) == expected


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("8 912 345 67 89", "RU", [MOSCOW]),
        ("06 12 34 56 78", "IT", [PARIS, ROME]),
        ("011 44 7700 900123", "US", [LONDON]),
        ("ben 06 12 34 56 78", "FR", []),
        ("0000", "FR", []),
        ("0" * 60, "FR", []),
        ("06)", "FR", [ROME]),
        ("-", "FR", []),
    ],
)
@pytest.mark.usefixtures("abroad")
def test_a_number_is_read_as_one_of_the_country_of_the_church(
    typed: str, country: str, expected: list[str]
) -> None:
    assert set(found(typed, country)) >= set(expected)
    assert len(found(typed, country)) == len(expected)


@pytest.mark.usefixtures("abroad")
def test_each_part_of_a_number_finds_the_numbers_that_hold_it() -> None:
    digits, numbers = CHICAGO[1:], [*NUMBERS, "+16123456789", "+13125550101"]
    cast.member(Church.objects.get(), "Ada", "+13125550110")
    numbers.append("+13125550110")
    parts = {digits[at : at + length] for length in range(2, 12) for at in range(12 - length)}
    missed = {part for part in parts if set(found(part, "US")) != {n for n in numbers if part in n}}
    assert missed == set()


@pytest.fixture
def french(grace: Church) -> Member:
    Church.objects.filter(pk=grace.pk).update(country="FR")
    grace.refresh_from_db()
    member = cast.member(grace, "Ruth", PARIS)
    thread = conversation_with(grace, PARIS, now=timezone.now())
    stranger = conversation_with(grace, "+33698765432", now=timezone.now())
    for one in (thread, stranger):
        one.state, one.inbox_at = InboxState.OPEN, timezone.now()
        one.save()
    return member


def members_list(client: Client, words: str) -> Any:
    return client.get("/churches/grace/members/", {"search": words}).context["rows"]


def texts(client: Client, words: str) -> Any:
    return client.get("/churches/grace/sent/texts/", {"person": words}).context["people"]


def inbox(client: Client, words: str) -> Any:
    return client.get("/churches/grace/inbox/", {"search": words}).context["rows"]


@pytest.mark.parametrize("search", [members_list, texts, inbox])
@pytest.mark.parametrize("typed", ["06 12 34 56 78", "06.12.34.56.78", "+33 (0)6 12 34 56 78"])
def test_each_search_of_the_pages_finds_the_national_form(
    french: Member, grace_sender: User, search: Callable[[Client, str], Any], typed: str
) -> None:
    assert len(search(signed_in(grace_sender), typed)) == 1


def test_the_inbox_finds_a_number_without_a_member(french: Member, grace_sender: User) -> None:
    assert len(inbox(signed_in(grace_sender), "06 98 76 54 32")) == 1


def test_send_and_the_page_of_a_group_find_the_national_form(
    french: Member, grace: Church, grace_sender: User
) -> None:
    options = finding.find(grace, "06 12 34 56 78")
    assert [option.recipient.label for option in options.people] == ["Ruth"]
    assert options.number is None
    choir = Group.objects.create(church=grace, name="Choir")
    page = signed_in(grace_sender).get(
        f"/churches/grace/groups/{encode(choir.pk)}/", {"find": "06 12 34 56 78"}
    )
    assert page.context["candidates"] == [french]


def test_the_api_finds_the_national_form(french: Member, grace_sender: User) -> None:
    program = APIClient()
    program.force_authenticate(grace_sender)
    answer = program.get("/api/v1/churches/grace/members/", {"search": "06 12 34 56 78"})
    assert [row["phone"] for row in answer.json()["results"]] == [PARIS]


def test_an_import_finds_the_member_by_the_national_form(french: Member, grace: Church) -> None:
    content = b"first_name,phone\nRuth,06 12 34 56 78\nAda,+49 (0)30 123456\n"
    report = import_members(grace, content, now=timezone.now())
    assert (report.created, report.skipped) == (1, 1)
    assert set(grace.members.values_list("phone", flat=True)) == {PARIS, BERLIN}


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("06 12 34 56 78", "FR", PARIS),
        ("(030) 123456", "DE", BERLIN),
        ("07400 123456", "GB", "+447400123456"),
        ("06 1234 5678", "IT", ROME),
        ("+39 06 1234 5678", "DE", ROME),
    ],
)
def test_the_zero_of_a_country_is_left_out_where_the_country_does(
    typed: str, country: str, number: str
) -> None:
    assert phone.normalise(typed, country) == number


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams.")
@pytest.mark.usefixtures("abroad")
def test_a_national_form_is_found_by_the_index(grace: Church) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX member_phone, member_search, member_list")
    plan = Member.objects.filter(church=grace).filter(matching("0612345678", "US")).explain()
    assert "member_trigrams" in plan
