"""A prepared query answers as its queryset does, with other values at each run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request

from koinonia.api.pagination import ByName, NewestByTime, NewestFirst
from koinonia.api.prepared_list import PreparedList
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.models import Church, Group, Member
from tests.support import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def members(grace: Church) -> list[Member]:
    return [cast.member(grace, f"Mary{number}", f"+1312555{number:04}") for number in range(9)]


def test_instances_are_those_of_the_queryset(grace: Church, members: list[Member]) -> None:
    query = PreparedQuery(
        lambda: (
            Member.objects.filter(church=Parameter("church"), phone__gte=Parameter("phone"))
            .select_related("church")
            .annotate(called=F("first_name"))
            .order_by("-pk")[:3]
        )
    )
    for phone in (members[1].phone, members[7].phone):
        found = query.objects(church=grace.pk, phone=phone)
        mine = Member.objects.filter(church=grace, phone__gte=phone).order_by("-pk")
        assert found == list(mine[:3])
        assert [(one.first_name, one.church.slug) for one in found] == [
            (getattr(one, "called"), grace.slug)  # noqa: B009 -- annotated
            for one in found
        ]


def test_only_the_first_run_compiles(
    grace: Church, members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[QuerySet[Member]] = []

    def template() -> QuerySet[Member]:
        made.append(Member.objects.filter(church=Parameter("church")))
        return made[-1]

    query = PreparedQuery(template)
    assert len(query.objects(church=grace.pk)) == 9
    assert query.objects(church=0) == []
    assert query.rows(church=0) == []
    assert len(made) == 1


def test_columns_that_were_not_read_load_on_first_use(grace: Church, members: list[Member]) -> None:
    query = PreparedQuery(lambda: Member.objects.filter(pk=Parameter("key")).only("first_name"))
    found = query.first(key=members[0].pk)
    assert found is not None
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert (found.first_name, found.phone) == ("Mary0", members[0].phone)
    assert len(asked) == 1
    assert query.first(key=0) is None


def test_times_go_in_and_come_out_as_times(grace: Church, members: list[Member]) -> None:
    query = PreparedQuery(
        lambda: Member.objects.filter(created_at__lt=Parameter("now")).values_list("created_at")
    )
    now = timezone.now()
    assert len(query.rows(now=now + timedelta(days=1))) == 9
    assert query.rows(now=now - timedelta(days=1)) == []
    assert query.rows(now=now + timedelta(days=1))[0][0].tzinfo is not None


def test_a_missing_parameter_is_an_error(grace: Church) -> None:
    with pytest.raises(KeyError):
        PreparedQuery(lambda: Group.objects.filter(church=Parameter("church"))).rows()


@pytest.mark.parametrize("order", [NewestFirst, NewestByTime, ByName])
def test_a_prepared_list_has_the_pages_of_its_queryset(
    grace: Church, members: list[Member], order: type[NewestFirst]
) -> None:
    made = partial(ByName, grace.pk) if order is ByName else order
    prepared = PreparedList(lambda: Member.objects.filter(church=Parameter("church")))
    expected = walked(made, lambda: Member.objects.filter(church=grace))
    assert walked(made, lambda: prepared.of(church=grace.pk)) == expected
    assert len(expected) == 9


def walked(order: Callable[[], NewestFirst], rows: Callable[[], Any]) -> list[Any]:
    """Return the pages of two rows, forward to the end and back to the begin."""
    pages, path, step = [], "/?page_size=2", "next"
    while True:
        paginator = order()
        pages.append(paginator.paginate_queryset(rows(), Request(RequestFactory().get(path))))
        links = paginator.get_paginated_response([]).data
        if links[step] is None:
            if step == "previous":
                return pages
            step = "previous"
        path = links[step]
