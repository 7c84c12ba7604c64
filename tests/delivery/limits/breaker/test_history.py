"""People see the same breaker state as the workers, also after a loss of Redis."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from delivery.limits import breaker
from delivery.limits.breaker import Tally
from delivery.models import BreakerState, BreakerTransition
from tests.delivery.accounts import account
from tests.delivery.redis_state import behind

pytestmark = pytest.mark.django_db
NOW = timezone.now()
NOBODY_LISTENS = "redis://127.0.0.1:9/0"


def opened() -> None:
    breaker.record(account(), breaker.ask(account(), NOW), Tally(10, 10), NOW)
    assert shown() == BreakerState.OPEN


def asked(seconds: float) -> datetime:
    now = NOW + timedelta(seconds=seconds)
    breaker.ask(account(), now)
    return now


def shown() -> BreakerState:
    return breaker.current(account(), NOW).state


def test_an_open_breaker_that_redis_has_lost_is_not_shown_open_forever(
    valkey: redis.Redis,
) -> None:
    opened()
    valkey.flushall()
    breaker.forget()  # of a worker that never saw it open
    for seconds in (0, 3, 6):
        asked(seconds)
    assert shown() == BreakerState.CLOSED
    last, *before = BreakerTransition.objects.all()
    assert (last.before, last.after, len(before)) == ("open", "closed", 1)


def test_a_local_decision_without_redis_ends_when_redis_returns(
    settings: Any,
) -> None:
    there = settings.DELIVERY["REDIS_URL"]
    behind(settings, NOBODY_LISTENS)
    opened()
    asked(3)
    assert shown() == BreakerState.OPEN
    behind(settings, there)
    for seconds in (4, 7):
        asked(seconds)
    assert shown() == BreakerState.CLOSED


def test_a_transition_in_progress_is_not_written_twice() -> None:
    opened()
    row = BreakerTransition.objects.get()
    row.delete()
    asked(0)
    asked(1.5)
    row.save()
    asked(3)
    assert BreakerTransition.objects.count() == 1


def test_a_transition_written_late_has_the_remaining_open_time() -> None:
    opened()
    BreakerTransition.objects.all().delete()
    asked(1)
    now = asked(4)
    view = breaker.current(account(), now)
    assert view.state == BreakerState.OPEN
    assert view.until is not None
    assert now < view.until <= now + timedelta(seconds=1)
