"""Waiting for the pace of a sending number."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.limits import pacing
from delivery.models import Message, Priority
from delivery.queue.turns import Turn
from delivery.statuses import Status
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.accounts import account
from tests.delivery.engine.scripted import drain, write

pytestmark = pytest.mark.django_db(transaction=True)
SOON = timedelta(seconds=0.2)


def test_a_paused_church_without_messages_does_not_keep_a_worker_busy(
    grace: Church,
) -> None:
    worker = drain(ScriptedProvider())
    worker.gate.rest(Turn(grace.pk, Priority.BULK, "telnyx"), SOON.total_seconds(), timezone.now())
    began = time.monotonic()
    worker.run(budget=60)
    assert SOON.total_seconds() <= time.monotonic() - began < 30


def test_a_frozen_number_sends_no_message_of_another_number(grace: Church, settings: Any) -> None:
    """Write messages from an old and a new number: a church may change its number while messages
    wait."""
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 100}
    for number in range(3):
        write(grace, to=f"+1312555000{number}")
    of_the_old = Message.objects.filter(to_number="+13125550001")
    # It has an attempt: a second call must have the same bytes.
    of_the_old.update(from_number="+13125550199", calls=1)
    pacing.freeze_sender(account(), "+13125550199", 60)
    provider = ScriptedProvider()
    worker = drain(provider, size=1)
    worker.run(budget=0.5)
    assert of_the_old.get().pk not in {request.message_id for request in provider.requests}
    assert of_the_old.get().calls == 1


def test_messages_from_two_numbers_have_separate_paces(grace: Church) -> None:
    for number in range(6):
        write(grace, to=f"+1312555000{number}")
    Message.objects.filter(to_number__in=["+13125550001", "+13125550004"]).update(
        from_number="+13125550199"
    )
    drain(ScriptedProvider()).run()
    assert set(Message.objects.values_list("status", "claims")) == {(Status.ACCEPTED, 0)}
