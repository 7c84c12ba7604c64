"""Results that are kept until the data of the church changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from koinonia import kept_by_version
from koinonia.kept_by_version import KeptByVersion
from koinonia.models import Church, Group, Member
from koinonia.people import doubles
from tests.support import cast


def names(church: Church) -> list[str]:
    return sorted(member.first_name for member in Member.objects.filter(church=church))


def test_a_result_is_computed_again_after_each_change(grace: Church, hope: Church) -> None:
    computed: list[Church] = []

    def compute(church: Church) -> list[str]:
        computed.append(church)
        return names(church)

    kept = KeptByVersion("members", compute)
    mary = cast.member(grace, "Mary", "+13125550142")
    choir = Group.objects.create(church=grace, name="Choir")
    changes: list[Callable[[], Any]] = [
        lambda: cast.member(grace, "Ben", "+13125550143"),
        lambda: Member.objects.filter(pk=mary.pk).update(first_name="Maria"),
        lambda: mary.groups.add(choir),
        lambda: choir.delete(),
        lambda: Member.objects.filter(pk=mary.pk).update(version=F("version") + 1),
        lambda: mary.delete(),
    ]
    for number, change in enumerate(changes, 1):
        assert kept.of(grace) == kept.of(grace) == names(grace)
        assert computed == [grace] * number
        change()
    assert kept.of(grace) == ["Ben"]
    cast.member(hope, "Anna", "+13125550199")
    assert kept.of(grace) == ["Ben"]
    assert computed == [grace] * (len(changes) + 1)
    assert kept.of(hope) == ["Anna"]


def test_a_process_keeps_the_results_of_a_bounded_number_of_churches(
    grace: Church, hope: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_by_version, "_MOST", 1)
    computed: list[Church] = []
    kept = KeptByVersion("members", computed.append)
    for church in (grace, hope, hope, grace):
        kept.of(church)
    assert computed == [grace, hope, grace]


def test_known_doubles_cost_no_second_look_at_all_members(
    grace: Church, django_assert_num_queries: Any
) -> None:
    for number in ("+13125550142", "+13125550143"):
        cast.member(grace, "Mary", number)
    assert len(doubles.pairs(grace)[0]) == 1
    with django_assert_num_queries(3):
        # The version, the distinct pairs, and the members with this name.
        assert len(doubles.pairs(grace)[0]) == 1
