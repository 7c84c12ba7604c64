"""Pagination as a law: a walk over all pages sees each row once, while rows are added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from koinonia.api.pagination import LatestFirst, NewestFirst
from koinonia.models import Church, Conversation

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
# A few distinct times, so that many rows share one.
MOMENTS = st.lists(st.integers(0, 3), max_size=12)
LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def conversations(grace: Church) -> Callable[[list[int]], list[int]]:
    """Add conversations with the given times of change. Return their keys."""
    numbers = iter(range(10**9, 10**10))

    def add(moments: list[int]) -> list[int]:
        made = Conversation.objects.bulk_create(
            Conversation(
                church=grace,
                phone=f"+1{next(numbers)}",
                updated_at=BEGIN + timedelta(microseconds=moment),
            )
            for moment in moments
        )
        return [row.pk for row in made]

    return add


def walk(
    kind: type[NewestFirst], size: int, url: str | None = None, link: str = "next"
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Return the keys of each page, and the page."""
    url = url or f"/?page_size={size}"
    while url:
        pages = kind()
        request = Request(APIRequestFactory().get(url))
        rows = pages.paginate_queryset(Conversation.objects.all(), request)
        said: dict[str, Any] = pages.get_paginated_response(rows).data
        yield [row.pk for row in rows], said
        url = said[link]


def expected(kind: type[NewestFirst]) -> list[int]:
    return list(Conversation.objects.order_by(*kind.ordering).values_list("pk", flat=True))


@pytest.mark.parametrize("kind", [NewestFirst, LatestFirst])
@LAW
@given(moments=MOMENTS, size=st.integers(1, 5))
def test_all_pages_hold_each_row_once_in_order_in_both_directions(
    kind: type[NewestFirst],
    conversations: Callable[[list[int]], list[int]],
    moments: list[int],
    size: int,
) -> None:
    with transaction.atomic():
        conversations(moments)
        there = list(walk(kind, size))
        assert [key for keys, _ in there for key in keys] == expected(kind)
        assert all(len(keys) == size for keys, _ in there[:-1])
        back = [there[-1][0]]
        if previous := there[-1][1]["previous"]:
            back += [keys for keys, _ in walk(kind, size, previous, "previous")]
        assert [key for keys in reversed(back) for key in keys] == expected(kind)
        transaction.set_rollback(True)


@pytest.mark.parametrize("kind", [NewestFirst, LatestFirst])
@LAW
@given(
    moments=MOMENTS, size=st.integers(1, 4), added=st.lists(st.lists(st.integers(0, 5), max_size=3))
)
def test_rows_that_are_added_while_paging_hide_and_repeat_none(
    kind: type[NewestFirst],
    conversations: Callable[[list[int]], list[int]],
    moments: list[int],
    size: int,
    added: list[list[int]],
) -> None:
    with transaction.atomic():
        before = conversations(moments)
        seen: list[int] = []
        coming = iter(added)
        for keys, _ in walk(kind, size):
            seen += keys
            conversations(next(coming, []))
        assert len(seen) == len(set(seen))
        assert set(before) <= set(seen)
        transaction.set_rollback(True)
