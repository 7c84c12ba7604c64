"""A generated list of 5,000 members with many kinds of errors."""

from __future__ import annotations

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from koinonia.member_import.file import import_members
from koinonia.models import Church, Member
from tests.support.messy_csv import MessyCsv

PEOPLE = 5000
QUERIES_OF_A_SLICE = 12


def test_five_thousand_messy_rows_take_few_queries(
    grace: Church, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    csv = MessyCsv(people=PEOPLE)
    with django_assert_max_num_queries(PEOPLE // 100 * QUERIES_OF_A_SLICE):
        report = import_members(grace, csv.content, now=timezone.now())
    assert [line for line, _ in report.errors] == csv.broken_lines
    assert (report.created, report.updated, report.skipped) == (csv.valid_people, 0, csv.doubles)
    assert Member.objects.count() == csv.valid_people
    again = import_members(grace, csv.content, now=timezone.now())
    assert (again.created, again.updated) == (0, 0)
