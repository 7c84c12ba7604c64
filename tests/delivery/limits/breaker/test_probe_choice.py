"""The choice of the probe: a fresh message, not one that may be the cause of the failures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.limits import breaker
from delivery.limits.breaker.permit import Tally
from delivery.models import BreakerState, Message
from delivery.providers.base import OutboundText, SendOutcome
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import ACCEPTED, UNAVAILABLE, drain, write
from tests.delivery.redis_state import fresh
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_message_without_attempts_is_the_probe(grace: Church, settings: Any) -> None:
    fresh(settings, BREAKER_OPEN_SECONDS=0.2)
    long_ago = timezone.now() - timedelta(minutes=5)
    write(grace, "poison", now=long_ago)
    Message.objects.update(calls=1, status=Status.RETRYING, next_attempt_at=long_ago)
    write(grace, "good")
    _open(timezone.now())
    provider = ScriptedProvider(answers=[_answer])
    worker = drain(provider)

    def probed() -> bool:
        worker.run()
        return bool(provider.requests)

    wait_until(probed)
    assert "good" in provider.requests[0].text
    assert breaker.current(account(), timezone.now()).state == BreakerState.CLOSED


def _answer(request: OutboundText) -> SendOutcome:
    return UNAVAILABLE if "poison" in request.text else ACCEPTED


def _open(now: datetime) -> None:
    breaker.record(account(), breaker.ask(account(), now), Tally(10, 10), now)
    assert breaker.current(account(), now).state == BreakerState.OPEN
