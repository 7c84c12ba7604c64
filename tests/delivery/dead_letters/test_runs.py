"""Bulk retries: forecast, run, progress and result."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from delivery.dead_letters import runs
from delivery.models import DeadLetterAction, Message, OptOut, RetryRun
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import NOW, MakeLetter

pytestmark = pytest.mark.django_db


def number(index: int) -> str:
    return f"+1312555{index:04}"


def set_status(messages: list[Message], status: str, **more: Any) -> None:
    keys = [message.pk for message in messages]
    Message.objects.filter(pk__in=keys).update(status=status, **more)


def test_a_forecast_counts_parts_time_doubles_and_refusals(
    letter: MakeLetter, grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 2, "ACCOUNT_RATE": 100}
    for index in range(5):
        letter(to_number=number(index), parts=4)
    letter("unknown", to_number=number(6), parts=2)
    letter(to_number=number(7))
    OptOut.objects.create(tenant=grace, number=number(7), source="keyword", created_at=NOW)
    found = runs.forecast(Message.objects.all())
    assert (found.chosen, found.more) == (7, False)
    assert (found.going, found.parts, found.seconds) == (5, 20, 10.0)
    assert (found.doubles, found.double_parts, found.double_seconds) == (1, 2, 11.0)
    assert found.refused == {"opted_out": 1}


def test_a_run_tells_its_result_later(letter: MakeLetter, support: User) -> None:
    letters = [letter(to_number=number(index)) for index in range(33)]
    run = runs.begin(Message.objects.all(), by=support, now=NOW, reason="Telnyx is back")
    assert (run.chosen, run.retried, run.parts) == (33, 33, 33)
    assert runs.progress([run])[run.pk].sentence == "0 delivered, 33 waiting"
    set_status(letters[:31], Status.DELIVERED)
    set_status(letters[31:], Status.DEAD, error_code="40310", dead_since=NOW)
    found = runs.progress([run])[run.pk]
    assert found.sentence == "31 delivered, 2 dead again: 40310"
    assert found.is_over


def test_a_run_remembers_what_it_refused(letter: MakeLetter, support: User) -> None:
    letter(to_number=number(1))
    letter("unknown", to_number=number(2))
    run = runs.begin(Message.objects.all(), by=support, now=NOW)
    assert run.refused == {"may_double_required": 1}
    assert DeadLetterAction.objects.get().run == run


def test_a_run_takes_no_more_than_its_bound(
    letter: MakeLetter, support: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST", 2)
    for index in range(3):
        letter(to_number=number(index))
    assert runs.forecast(Message.objects.all()).more
    assert runs.begin(Message.objects.all(), by=support, now=NOW).retried == 2
    assert RetryRun.objects.get().chosen == 2


def test_the_progress_of_several_runs_is_one_query(
    letter: MakeLetter, support: User, django_assert_num_queries: Any
) -> None:
    made = []
    for index in range(3):
        letter(to_number=number(index))
        made.append(runs.begin(Message.objects.filter(status="dead"), by=support, now=NOW))
    with django_assert_num_queries(1):
        assert len(runs.progress(made)) == 3
