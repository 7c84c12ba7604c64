"""The slowdown of an account or of one number by a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from delivery.limits import pacing, slowdowns
from delivery.limits.slowdowns import SlowdownRefusedError
from delivery.models import Message, Slowdown
from delivery.retention import prune
from delivery.sending.drain import Drain
from delivery.signals import slowdown_changed
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import drain, write
from tests.delivery.redis_state import fresh

pytestmark = pytest.mark.django_db(transaction=True)

HERE, THERE = "+13125550100", "+13125550200"
REASON = "The carrier asked us."


def slow(rate: float = 0.1, **changes: Any) -> Slowdown:
    now = timezone.now()
    order = {
        "sender": "", "by": None, "reason": REASON, "until": now + timedelta(hours=1), "now": now,
    }  # fmt: skip
    return slowdowns.slow(account(), rate=rate, **{**order, **changes})


def at_once(sender: str = HERE) -> int:
    """Return how many texts of one part may go at once."""
    rates = slowdowns.rates(timezone.now())
    return pacing.take(account(), 1, sender, [1] * 50, rates).texts


@pytest.fixture
def paced(settings: Any) -> None:
    fresh(settings, ACCOUNT_RATE=40, SENDER_RATE=30).close()


def test_a_slowed_account_slows_each_of_its_numbers(paced: None) -> None:
    slow()
    assert [at_once(HERE), at_once(THERE)] == [1, 0]


def test_a_slowed_number_slows_no_other_number(paced: None) -> None:
    slow(sender=HERE)
    assert at_once(HERE) == 1
    assert at_once(THERE) > 5


def test_a_slowdown_that_has_ended_slows_nothing(paced: None) -> None:
    row = slow()
    assert slowdowns.rates(row.until) == {}
    assert slowdowns.end(row.pk, by=None, now=timezone.now())
    assert at_once() > 5


def test_a_later_lower_pace_of_the_settings_counts(settings: Any) -> None:
    fresh(settings, ACCOUNT_RATE=40, SENDER_RATE=None).close()
    row = slow(rate=30)
    settings.DELIVERY = {**settings.DELIVERY, "ACCOUNT_RATE": 2}
    rates = slowdowns.rates(row.since)
    assert pacing.seconds_for(account(), HERE, 20, rates) == 10


def test_a_forecast_counts_with_the_slowed_rate(paced: None) -> None:
    slow(rate=5, sender=HERE)
    rates = slowdowns.rates(timezone.now())
    assert pacing.seconds_for(account(), HERE, 100, rates) == 20
    assert pacing.seconds_for(account(), THERE, 120, rates) == 4


def step(worker: Drain) -> None:
    """Let the worker look at the orders of people, as it does after a second, and send once."""
    later = worker.clock() + timedelta(seconds=1.1)
    worker.clock = lambda: later
    worker.step()
    worker.settle(0)


def test_a_worker_follows_a_slowdown_and_its_end_within_its_usual_second(
    grace: Church, settings: Any
) -> None:
    fresh(settings, ACCOUNT_RATE=1000, SENDER_RATE=1000).close()
    worker = drain(ScriptedProvider())
    row = slow()
    for number in range(6):
        write(grace, to=f"+1312555000{number}")
    step(worker)
    unsent = Message.objects.filter(status=Status.QUEUED)
    assert unsent.count() == 5
    step(worker)
    assert worker.gate.anyone_rests(worker.clock())
    assert unsent.count() == 5
    slowdowns.end(row.pk, by=None, now=timezone.now())
    step(worker)
    worker.run(budget=60)
    assert unsent.count() == 0


def test_a_slowdown_ends_at_its_time_and_is_told_once() -> None:
    told: list[Any] = []

    def hear(*, provider: str, sender_number: str, **_: Any) -> None:
        told.append((provider, sender_number))

    slowdown_changed.connect(hear)
    try:
        row = slow(sender=HERE)
        slowdowns.end_expired(row.until - timedelta(seconds=1))
        assert Slowdown.objects.get().ended_at is None
        slowdowns.end_expired(row.until)
        slowdowns.end_expired(row.until)
    finally:
        slowdown_changed.disconnect(hear)
    assert told == [("telnyx", HERE)] * 2
    assert Slowdown.objects.get().ended_by == slowdowns.BY_TIME


def test_a_second_order_replaces_the_first_and_the_history_keeps_both(grace_owner: User) -> None:
    slow(rate=2, by=grace_owner)
    slow(rate=3, by=grace_owner)
    slow(rate=4, sender=HERE)
    rows = Slowdown.objects.order_by("pk").values_list("rate", "ended_by")
    assert list(rows) == [(2, "grace-owner"), (3, ""), (4, "")]
    assert sorted(slowdowns.rates(timezone.now()).values()) == [3, 4]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate": 40}, "The usual pace is 40 parts a second"),
        ({"rate": 30, "sender": HERE}, "The usual pace is 30 parts a second"),
        ({"rate": 0.05}, "The slowest is 0.1 parts a second"),
        ({"rate": float("nan")}, "The slowest"),
        ({"reason": "  "}, "needs a reason"),
        ({"until": timezone.now() - timedelta(seconds=1)}, "must lie ahead"),
    ],
)
def test_an_order_is_refused_with_a_sentence(
    paced: None, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SlowdownRefusedError, match=sentence):
        slow(**change)
    assert not Slowdown.objects.exists()


def test_the_number_of_slowdowns_that_stand_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slowdowns, "MOST", 2)
    slow(sender=HERE)
    slow(sender=THERE)
    with pytest.raises(SlowdownRefusedError, match="End one of them first"):
        slow()
    slow(sender=HERE)
    assert slowdowns.standing(timezone.now()).count() == 2


def test_two_orders_of_one_moment_leave_one_slowdown(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(rate=2)
    # Both orders look before either is committed.
    monkeypatch.setattr(slowdowns, "_end", lambda *_: 0)
    with pytest.raises(SlowdownRefusedError, match="colleague"):
        slow(rate=3)
    assert [row.rate for row in Slowdown.objects.all()] == [2]


def test_the_history_of_slowdowns_is_pruned_with_the_other_orders(settings: Any) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "AUDIT_RETENTION_DAYS": 30}
    row = slow()
    prune(row.until + timedelta(days=40))
    assert Slowdown.objects.count() == 1
    slowdowns.end(row.pk, by=None, now=row.until)
    prune(row.until + timedelta(days=40))
    assert Slowdown.objects.count() == 0
