"""Who waits for the pace, and for how long."""

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


def test_a_church_that_rested_and_has_nothing_left_to_send_keeps_no_worker_awake(
    grace: Church,
) -> None:
    worker = drain(ScriptedProvider())
    worker.gate.rest(Turn(grace.pk, Priority.BULK, "telnyx"), SOON.total_seconds(), timezone.now())
    began = time.monotonic()
    worker.run(budget=10)
    assert SOON.total_seconds() <= time.monotonic() - began < 5


def test_a_number_that_is_to_be_left_alone_sends_nothing_in_the_name_of_another(
    grace: Church, settings: Any
) -> None:
    """A church may change its number while texts from the old one wait."""
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 100}
    for number in range(3):
        write(grace, to=f"+1312555000{number}")
    of_the_old = Message.objects.filter(to_number="+13125550001")
    # It was tried before: a second call must have the bytes of the first.
    of_the_old.update(from_number="+13125550199", calls=1)
    pacing.freeze_sender(account(), "+13125550199", 60)
    provider = ScriptedProvider()
    worker = drain(provider, size=1)
    worker.run(budget=0.5)
    assert of_the_old.get().pk not in {request.message_id for request in provider.requests}
    assert of_the_old.get().calls == 1


def test_texts_from_two_numbers_go_each_at_its_own_pace(grace: Church) -> None:
    for number in range(6):
        write(grace, to=f"+1312555000{number}")
    Message.objects.filter(to_number__in=["+13125550001", "+13125550004"]).update(
        from_number="+13125550199"
    )
    drain(ScriptedProvider()).run()
    assert set(Message.objects.values_list("status", "claims")) == {(Status.ACCEPTED, 0)}
