"""The broker wakes the worker at a hint, at the moment that a message becomes due, or by its poll."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from delivery.models import Message
from delivery.outage import Outage
from delivery.queue import due, hints, rescue
from delivery.sending import drain as sending
from delivery.statuses import Status
from delivery.worker import broker, drain_task
from delivery.worker.broker import HintBroker
from koinonia.models import Church
from tests.delivery.engine.scripted import HeldProvider, drain, write
from tests.delivery.redis_state import fresh
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SOON = timedelta(seconds=3)
"""A loaded machine asks the broker before it ends."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long the broker waits for Redis each time."""
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr(hints, "wait", wait)
    return waited


@pytest.fixture
def rested(settings: Any, waits: list[float]) -> HintBroker:
    """Return a broker that has just started a drain, so that only due messages wake it."""
    fresh(settings).close()
    rested = HintBroker()
    assert rested.dequeue()
    assert rested.dequeue() == []
    waits.clear()
    return rested


def due_in(church: Church, wait: timedelta) -> None:
    write(church)
    Message.objects.update(next_attempt_at=timezone.now() + wait)
    while hints.take():
        pass


def test_a_row_wakes_the_worker_at_the_moment_it_becomes_due(
    grace: Church, rested: HintBroker, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "_AHEAD", timedelta(hours=1))
    due_in(grace, SOON)
    assert rested.dequeue()
    assert due.anything_due(timezone.now())
    assert not waits


def test_a_hint_wakes_the_worker_before_the_next_due_row(
    grace: Church, rested: HintBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "_AHEAD", timedelta(hours=1))
    due_in(grace, timedelta(seconds=30))
    hints.push()
    assert rested.dequeue()
    assert not due.anything_due(timezone.now())


@pytest.mark.parametrize(
    ("wait", "woken"),
    [(timedelta(seconds=-1), True), (timedelta(seconds=60), False)],
    ids=["due, but perhaps not free to go", "due much later"],
)
def test_any_other_row_is_left_to_the_poll(
    grace: Church, rested: HintBroker, waits: list[float], wait: timedelta, woken: bool
) -> None:
    due_in(grace, wait)
    assert bool(rested.dequeue()) is woken
    assert len(waits) == 1


@pytest.fixture
def held() -> Iterator[HeldProvider]:
    provider = HeldProvider()
    yield provider
    provider.released.set()
    drain_task.set_in_flight(False)


def test_a_worker_with_calls_in_flight_is_started_until_they_finish(
    grace: Church,
    rested: HintBroker,
    waits: list[float],
    held: HeldProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = drain(held, size=1)
    monkeypatch.setattr(sending, "_drain", worker)
    monkeypatch.setattr(sending, "of_this_process", lambda size: worker.threads)
    monkeypatch.setattr(sending, "_BUDGET_SECONDS", 0.1)
    write(grace)
    drain_task.drain()
    while hints.take():
        pass
    assert not due.anything_due(timezone.now())
    for _ in range(2):
        assert rested.dequeue()
    assert not waits
    held.released.set()
    wait_until(lambda: _drained() and not drain_task.is_in_flight())
    assert Message.objects.get().status == Status.ACCEPTED
    assert rested.dequeue() == []


def _drained() -> bool:
    drain_task.drain()
    return True


def test_a_failed_drain_with_calls_in_flight_is_restarted(
    held: HeldProvider, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: datetime) -> int:
        raise OperationalError

    worker = drain(held, size=1)
    monkeypatch.setattr(sending, "_drain", worker)
    monkeypatch.setattr(sending, "of_this_process", lambda size: worker.threads)
    monkeypatch.setattr(drain_task, "_PAUSE_AFTER_ERROR_SECONDS", 0)
    write(grace)
    worker.step()
    monkeypatch.setattr(rescue, "rescue", fail)
    worker.clock = lambda: timezone.now() + timedelta(seconds=2)
    drain_task.drain()
    assert drain_task.is_in_flight()


def test_a_clock_that_is_set_back_does_not_delay_due_rows(
    grace: Church, rested: HintBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "_AHEAD", 2 * SOON)
    due_in(grace, SOON)
    now, asked = timezone.now, []

    def set_back() -> datetime:
        asked.append(now())
        return now() - timedelta(seconds=120 if len(asked) > 1 else 0)

    monkeypatch.setattr(timezone, "now", set_back)
    began = time.monotonic()
    assert rested.dequeue()
    assert time.monotonic() - began < 60


def test_an_outage_of_the_database_is_logged_at_its_begin_each_minute_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage()
    outage.ended(0.0)
    for second in range(130):
        outage.failed(OperationalError("gone"), float(second))
    outage.ended(130.0)
    outage.ended(131.0)
    told = [
        (vars(one)["action"], vars(one)["failures"], vars(one)["seconds"]) for one in caplog.records
    ]
    assert told == [
        ("database_away", 1, 0.0),
        ("database_still_away", 61, 60.0),
        ("database_still_away", 121, 120.0),
        ("database_back", 130, 130.0),
    ]
