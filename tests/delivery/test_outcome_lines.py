"""One line for each outcome of a text, from the request that created it to the last report."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message, Outcome, Priority
from delivery.providers.base import SendOutcome
from delivery.queue import claim
from delivery.queue.turns import Turn
from delivery.sending.jobs import outbound_text
from delivery.settle import Result, settle
from delivery.testing import ScriptedProvider
from koinonia.config import log_lines
from koinonia.models import Church
from tests.delivery.engine.scripted import drain

TRACE = UUID("4bf92f3577b34da6a3ce929d0e0e4736")
NUMBER = "+13125550111"
WORDS = "The picnic begins at noon"


def the_trace() -> UUID:
    return TRACE


@pytest.fixture
def accepted(grace: Church, settings: Settings) -> Message:
    settings.DELIVERY = {**settings.DELIVERY, "TRACE": f"{__name__}.the_trace"}
    return accept_message(grace, Draft(to=NUMBER, text=WORDS), now=timezone.now())


def claimed(message: Message) -> Message:
    turn = Turn(
        priority=Priority(message.priority), provider=message.provider, tenant_id=message.tenant_id
    )
    [row] = claim.claim(turn, 1, timezone.now())
    return row


def test_a_message_keeps_the_trace_of_its_request(accepted: Message) -> None:
    assert Message.objects.get(pk=accepted.pk).trace == TRACE


def test_a_host_without_traces_stores_none(grace: Church, settings: Settings) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "TRACE": None}
    message = accept_message(grace, Draft(to=NUMBER, text=WORDS), now=timezone.now())
    assert Message.objects.get(pk=message.pk).trace is None
    assert outbound_text(message).traceparent == ""


def test_the_call_to_the_provider_continues_the_trace(accepted: Message) -> None:
    traceparent = outbound_text(claimed(accepted)).traceparent
    assert traceparent == f"00-{TRACE.hex}-{accepted.pk:016x}-01"


def test_a_call_writes_one_line_without_number_and_words(
    accepted: Message,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    caplog.set_level(logging.INFO)
    row, now = claimed(accepted), timezone.now()
    outcome = SendOutcome(kind=Outcome.ACCEPTED, provider_id="p-1", http_status=200)
    with django_capture_on_commit_callbacks(execute=True):
        settle([Result(row, outcome, now - timedelta(seconds=1), 0.25)], now)
    [record] = [one for one in caplog.records if getattr(one, "action", "") == "send"]
    found = json.loads(log_lines.JsonFormatter().format(record))
    assert found["level"] == "INFO"
    assert (found["request_id"], found["message_id"]) == (TRACE.hex, accepted.pk)
    assert (found["provider"], found["provider_id"]) == ("telnyx", "p-1")
    assert (found["outcome"], found["status"], found["attempt"]) == ("accepted", "accepted", 1)
    assert (found["duration_ms"], found["http_status"]) == (250, 200)
    assert "5550111" not in str(found)
    assert "picnic" not in str(found)


@pytest.mark.django_db(transaction=True)
def test_a_drain_that_made_calls_writes_one_line_and_an_idle_one_none(
    accepted: Message, caplog: pytest.LogCaptureFixture
) -> None:
    provider = ScriptedProvider()
    caplog.set_level(logging.INFO)
    worker = drain(provider)
    worker.run()
    worker.run()
    [line] = [vars(one) for one in caplog.records if getattr(one, "action", "") == "drain"]
    assert (line["levelname"], line["calls"], line["accepted"]) == ("INFO", 1, 1)
    assert line["seconds"] >= 0
