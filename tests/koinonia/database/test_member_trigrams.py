"""The index of the search of members: it serves the search, and a server may lack it."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection

from koinonia.models import Church, Member
from koinonia.people.search import matching
from tests.support import cast

MIGRATION = import_module("koinonia.migrations.0019_pre_member_trigrams")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams."),
]


def test_a_search_uses_the_index(grace: Church) -> None:
    Member.objects.bulk_create(
        Member(church=grace, first_name="".join(letters), phone="+13125550111")
        for letters in product("abcdefghijklmnop", repeat=3)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE koinonia_member")
        # Of so few members PostgreSQL would rather read all. The test rolls this back.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX member_phone, member_search, member_list")
    plan = Member.objects.filter(church=grace).filter(matching("fad", "US")).explain()
    assert "member_trigrams" in plan


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("3125550", ["550"]), ("312 555 0101", ["0101"]), ("0312 555 0101", ["0101", "101"])],
)
def test_the_index_is_asked_for_the_digits_that_differ_most(
    grace: Church, typed: str, asked: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX member_phone, member_search, member_list")
    plan = Member.objects.filter(church=grace).filter(matching(typed, "US")).explain()
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert re.findall(r"phone\)::text ~~ '%(\d+)%'", "".join(conditions)) == asked


def test_the_migration_goes_on_without_the_extensions(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, grace: Church
) -> None:
    def refuse(execute: Any, sql: str, *arguments: Any) -> Any:
        if "EXTENSION" in sql:
            raise ProgrammingError("permission denied to create extension")
        return execute(sql, *arguments)

    with connection.schema_editor(collect_sql=False) as editor, connection.execute_wrapper(refuse):
        MIGRATION.build(apps, editor)
    assert [getattr(line, "action", "") for line in caplog.records] == ["no_search_index"]
    member = cast.member(grace, "Anna", "+13125550111")
    assert list(Member.objects.filter(matching("nna", "US"))) == [member]
