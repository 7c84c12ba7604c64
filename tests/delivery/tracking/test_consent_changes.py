"""The log of consent: opt-outs, their ends, and agreements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from delivery import opt_outs
from delivery.models import OptOut
from delivery.opt_outs.agreements import agree
from koinonia.models import Church

NUMBER, OTHER = "+13125550111", "+13125550112"


def test_each_change_is_logged_once(grace: Church, hope: Church, grace_sender: User) -> None:
    now = timezone.now()
    assert opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.STAFF, now=now, by=grace_sender)
    later = now + timedelta(minutes=1)
    assert not opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=later)
    opt_outs.opt_in(grace.pk, NUMBER, at=later + timedelta(minutes=1))
    opt_outs.opt_in(grace.pk, NUMBER)
    started, stopped = opt_outs.history(grace.pk, NUMBER)
    assert (stopped.opted_out, stopped.source, stopped.at) == (True, "staff", now)
    assert stopped.by == grace_sender
    assert (started.opted_out, started.source, started.by) == (False, "keyword", None)
    assert not opt_outs.history(hope.pk, NUMBER).exists()


def test_a_start_before_the_opt_out_logs_nothing(grace: Church) -> None:
    now = timezone.now()
    opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=now)
    opt_outs.opt_in(grace.pk, NUMBER, at=now - timedelta(minutes=1))
    assert opt_outs.history(grace.pk, NUMBER).count() == 1


def said(now: datetime, by: User | None = None, file_name: str = "people.csv") -> opt_outs.Record:
    return opt_outs.Record(source=OptOut.Source.FILE, at=now, by=by, file_name=file_name)


def test_an_agreement_is_logged_once_until_an_opt_out_ends_it(
    grace: Church, hope: Church, grace_sender: User
) -> None:
    now = timezone.now()
    assert agree(grace.pk, [NUMBER, NUMBER, OTHER], said(now, grace_sender)) == 2
    assert agree(grace.pk, [NUMBER, OTHER], said(now + timedelta(days=1))) == 0
    [entry] = opt_outs.history(grace.pk, NUMBER)
    assert (entry.opted_out, entry.source, entry.file_name) == (False, "file", "people.csv")
    assert (entry.by, entry.at) == (grace_sender, now)
    assert not opt_outs.history(hope.pk, NUMBER).exists()


def test_an_agreement_takes_no_opt_out_back(grace: Church) -> None:
    now = timezone.now()
    opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=now)
    assert agree(grace.pk, [NUMBER, OTHER], said(now)) == 1
    assert opt_outs.opted_out(grace.pk, [NUMBER]) == {NUMBER}
    assert [entry.opted_out for entry in opt_outs.history(grace.pk, NUMBER)] == [True]


def test_a_start_says_more_than_a_later_agreement(grace: Church) -> None:
    now = timezone.now()
    opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=now)
    opt_outs.opt_in(grace.pk, NUMBER)
    assert agree(grace.pk, [NUMBER], said(timezone.now())) == 0


def test_an_agreement_is_logged_again_for_a_new_person_at_the_number(grace: Church) -> None:
    now = timezone.now()
    agree(grace.pk, [NUMBER], said(now))
    later = said(now + timedelta(days=1), file_name="family.csv")
    assert agree(grace.pk, [NUMBER], later, newcomers=[NUMBER]) == 1
    # A second person of the same file at the number, in the next slice.
    assert agree(grace.pk, [NUMBER], later, newcomers=[NUMBER]) == 0
    names = [entry.file_name for entry in opt_outs.history(grace.pk, NUMBER)]
    assert names == ["family.csv", "people.csv"]


def test_the_statements_for_many_agreements_are_three(
    grace: Church, django_assert_num_queries: Any
) -> None:
    numbers = [f"+1312555{number:04}" for number in range(100)]
    with django_assert_num_queries(3):
        assert agree(grace.pk, numbers, said(timezone.now())) == 100
