"""When the broker wakes the worker: at a hint, at the moment that a row comes due, else by its poll."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery import broker, due, hints
from delivery.broker import HintBroker
from delivery.models import Message
from koinonia.models import Church
from tests.delivery.engine.scripted import write
from tests.delivery.redis_of_the_test import fresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How often, and how long, the broker left it to Redis to wait."""
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr(hints, "wait", wait)
    return waited


@pytest.fixture
def rested(settings: Any, waits: list[float]) -> HintBroker:
    """A broker that has just had its worker run, so that only what is due gives it a reason."""
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


def test_a_row_about_to_come_due_wakes_at_that_moment_and_not_when_redis_looks_again(
    grace: Church, rested: HintBroker, waits: list[float]
) -> None:
    due_in(grace, timedelta(seconds=0.2))
    assert rested.dequeue()
    assert due.anything_due(timezone.now())
    assert not waits


def test_a_hint_is_heard_while_a_row_is_about_to_come_due(
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
