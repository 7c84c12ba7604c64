"""Orders of a person to the breaker, and their records."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.utils import timezone

from delivery.limits import breaker, holds
from delivery.limits.breaker import Tally
from delivery.models import BreakerState, BreakerTransition
from delivery.signals import breaker_changed
from tests.delivery.accounts import account

pytestmark = pytest.mark.django_db


def order(*arguments: str) -> str:
    out = StringIO()
    call_command("breaker", *arguments, stdout=out)
    return out.getvalue()


def test_an_order_to_open_outlives_redis(valkey: redis.Redis) -> None:
    order("open", "--reason", "Telnyx incident")
    valkey.flushall()
    assert not breaker.ask(account(), timezone.now()).allowed
    assert "forced_open" in order("show")
    assert BreakerTransition.objects.get().reason == "Telnyx incident"


def test_an_order_with_hours_ends_by_itself() -> None:
    before = timezone.now()
    assert "until" in order("open", "--hours", "2")
    after = timezone.now()
    state = breaker.current(account(), before + timedelta(hours=2) - timedelta(seconds=1)).state
    assert state == BreakerState.FORCED_OPEN
    assert breaker.current(account(), after + timedelta(hours=2)).state == BreakerState.CLOSED


def test_a_forced_closed_breaker_ignores_failures() -> None:
    order("close")
    permit = breaker.ask(account(), timezone.now())
    breaker.record(account(), permit, Tally(100, 100), timezone.now())
    assert breaker.ask(account(), timezone.now()).allowed


def test_auto_ends_an_order() -> None:
    order("open")
    assert "closed" in order("auto")
    now = timezone.now()
    breaker.record(account(), breaker.ask(account(), now), Tally(10, 10), now)
    assert breaker.current(account(), now).state == BreakerState.OPEN
    assert not breaker.ask(account(), now).allowed


@pytest.mark.parametrize(("action", "ended"), [("close", True), ("auto", True), ("open", False)])
def test_only_close_and_auto_end_a_hold(action: str, ended: bool) -> None:
    now = timezone.now()
    holds.hold(account(), "20100", "Insufficient funds", now=now)
    order(action)
    assert (holds.current(account(), now) is None) == ended


def test_every_transition_is_stored_with_its_reason_and_signalled() -> None:
    told: list[tuple[Any, str]] = []

    def hear(state: Any, reason: str, **_: Any) -> None:
        told.append((state, reason))

    breaker_changed.connect(hear)
    try:
        now = timezone.now()
        breaker.record(account(), breaker.ask(account(), now), Tally(12, 12), now)
    finally:
        breaker_changed.disconnect(hear)
    assert told == [(BreakerState.OPEN, "12 of 12 calls failed")]
    row = BreakerTransition.objects.get()
    assert (row.before, row.after, row.reason) == ("closed", "open", "12 of 12 calls failed")
    assert row.until is not None
