"""Who waits for the pace, and for how long."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery.models import Priority
from delivery.sending.scripted import ScriptedProvider
from delivery.turns import Turn
from koinonia.models import Church
from tests.delivery.engine.scripted import drain

pytestmark = pytest.mark.django_db(transaction=True)
SOON = timedelta(seconds=0.2)


def test_a_church_that_rested_and_has_nothing_left_to_send_keeps_no_worker_awake(
    grace: Church,
) -> None:
    worker = drain(ScriptedProvider())
    worker.gate.rest(Turn(grace.pk, Priority.BULK), SOON.total_seconds(), timezone.now())
    began = time.monotonic()
    worker.run(budget=10)
    assert SOON.total_seconds() <= time.monotonic() - began < 5
