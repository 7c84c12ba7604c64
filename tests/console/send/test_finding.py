"""Recipients that typed words find."""

from __future__ import annotations

import pytest
from django.utils import timezone

from delivery.models import OptOut
from delivery.opt_outs import opt_out
from koinonia.console.send.finding import find
from koinonia.models import Church, Group, Member
from tests.support import cast


def add(church: Church, *names: str) -> list[Member]:
    known = Member.objects.count()
    members = [
        Member(
            church=church, first_name=name.partition(" ")[0], last_name=name.partition(" ")[2],
            phone=f"+1312555{known + number:04}",
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    return Member.objects.bulk_create(members)


def people(church: Church, words: str) -> list[str]:
    return [option.recipient.label for option in find(church, words).people]


def test_the_whole_name_comes_first_then_the_start_of_a_word_then_the_inside(grace: Church) -> None:
    add(grace, "Hannah Adams", "Anna Adamsky", "Joanna Lee", "Lee Anna Adams", "Anna Adams")
    assert people(grace, "anna adams") == [
        "Anna Adams", "Anna Adamsky", "Lee Anna Adams", "Hannah Adams",
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["olafur", "ÓLAFUR", "ólafur þ", "thorsson olaf"])
def test_case_and_accents_do_not_matter(grace: Church, words: str) -> None:
    add(grace, "Ólafur Þórsson", "Anna Lee")
    assert people(grace, words) == ["Ólafur Þórsson"]


def test_people_that_are_not_shown_are_counted(grace: Church) -> None:
    add(grace, *[f"Mary Smith{number:02}" for number in range(71)])
    found = find(grace, "smith")
    assert (len(found.people), found.more) == (8, "and 63 more: type more of the name")


def test_a_number_of_a_member_finds_the_member_and_another_one_itself(grace: Church) -> None:
    [anna] = add(grace, "Anna Lee")
    known = find(grace, anna.phone)
    assert (known.people[0].recipient.label, known.number) == ("Anna Lee", None)
    other = find(grace, "(312) 555-0199").number
    assert other is not None
    assert other.recipient.mark == "n:+13125550199"
    assert find(grace, "312555019").number is None


def test_groups_are_apart_ranked_and_empty_ones_cannot_be_chosen(grace: Church) -> None:
    [anna] = add(grace, "Anna Choirs")
    choir = Group.objects.create(church=grace, name="Choir")
    Group.objects.create(church=grace, name="Youth choir")
    choir.members.add(anna)
    found = find(grace, "choir")
    assert [(one.recipient.label, one.refused) for one in found.groups] == [
        ("Choir", False), ("Youth choir", True),
    ]  # fmt: skip
    assert [one.recipient.label for one in found.people] == ["Anna Choirs"]
    without = find(grace, "choir", without=True)
    assert [one.recipient.kind for one in without.groups] == ["without", "without"]
    assert without.people == []


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ("every", ["Every evening", "Everyone"]),
        ("EVERYONE", ["Everyone"]),
        ("ev", ["Every evening"]),
    ],
)
def test_the_word_everyone_offers_everyone_after_the_groups(
    grace: Church, words: str, labels: list[str]
) -> None:
    Group.objects.create(church=grace, name="Every evening")
    assert [one.recipient.label for one in find(grace, words).groups] == labels
    assert not find(grace, words, taken=["all"]).groups[1:]


def test_nothing_typed_offers_everyone_and_groups(grace: Church) -> None:
    add(grace, "Anna Lee")
    Group.objects.create(church=grace, name="Choir")
    assert [one.recipient.label for one in find(grace, "").groups] == ["Everyone", "Choir"]
    taken = find(grace, "", taken=["all"])
    assert [one.recipient.label for one in taken.groups] == ["Choir"]


def test_another_church_is_not_searched_and_a_stopped_number_is_shown_as_such(
    grace: Church, hope: Church
) -> None:
    [anna] = add(grace, "Anna Lee")
    cast.member(hope, "Anna", "+13125550211")
    opt_out(grace.pk, anna.phone, OptOut.Source.KEYWORD, now=timezone.now())
    [option] = find(grace, "anna").people
    assert (option.detail, option.refused) == ("opted out", True)
    assert find(grace, "nobody at all").spoken == "Nobody is found."
