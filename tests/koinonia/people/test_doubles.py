"""Pairs of members that may be one person."""

from __future__ import annotations

import pytest

from koinonia.models import Church, DistinctMembers, Member
from koinonia.people import doubles
from koinonia.people.doubles import Reason
from tests.support import cast


def found(church: Church) -> list[tuple[str, str, Reason]]:
    pairs, _ = doubles.pairs(church)
    return [(pair.older.name, pair.newer.name, pair.reason) for pair in pairs]


def test_doubles_are_found_the_surest_first(grace: Church, hope: Church) -> None:
    for first, last, phone in (
        ("Ben", "Stone", "+13125550112"), ("Ida", "Stone", "+13125550112"),
        ("José", "Muñoz", "+13125550115"), ("Jose", "Munoz", "+13125550151"),
        ("Anna", "Lee", "+13125550111"), ("anna", "LEE", "+13125550111"),
        ("Olga", "Hill", "+13125550118"), ("Olga", "Hill", "+14425557777"),
    ):  # fmt: skip
        cast.member(grace, first, phone, last_name=last)
    cast.member(hope, "Anna", "+13125550111", last_name="Lee")
    assert found(grace) == [
        ("Anna Lee", "anna LEE", Reason.NAME_AND_NUMBER),
        ("José Muñoz", "Jose Munoz", Reason.NAME),
        ("Ben Stone", "Ida Stone", Reason.NUMBER),
    ]


def test_a_pair_that_is_marked_as_two_people_is_left_out(grace: Church, anna: Member) -> None:
    child = cast.member(grace, "Ann", anna.phone)
    assert len(found(grace)) == 1
    DistinctMembers.objects.create(one=anna, other=child)
    assert found(grace) == []


def test_the_list_says_that_there_are_more(grace: Church) -> None:
    for _ in range(4):
        cast.member(grace, "Anna", "+13125550111")
    pairs, more = doubles.pairs(grace, most=5)
    assert (len(pairs), more) == (5, True)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("+13125550111", "+13125550119", True),
        ("+13125550111", "+17735550111", True),
        ("+13125550115", "+13125550151", True),
        ("+13125550111", "+13125559999", False),
    ],
)
def test_numbers_are_alike_with_a_slip_or_another_area_code(
    one: str, other: str, alike: bool
) -> None:
    assert doubles.similar(one, other) is alike
