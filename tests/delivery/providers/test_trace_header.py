"""The trace of a text in the HTTP call to its provider, once per provider."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message
from delivery.providers.simulator.server import Answer, Request
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.providers.cases import PERSON, Rig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = UUID("4bf92f3577b34da6a3ce929d0e0e4736")


def the_trace() -> UUID:
    return TRACE


@pytest.fixture
def calls(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Return the requests that the simulator gets."""
    server, found = rig.simulator._server, list[Request]()
    answer = server.application

    def keep(request: Request) -> Answer:
        found.append(request)
        return answer(request)

    monkeypatch.setattr(server, "application", keep)
    return found


def send(church: Church) -> Message:
    message = accept_message(church, Draft(to=PERSON, text="Hello"), now=timezone.now())
    drain = Drain(Threads(2))

    def is_accepted() -> bool:
        drain.run(budget=1)
        message.refresh_from_db()
        return message.status == Status.ACCEPTED

    wait_until(is_accepted)
    return message


def test_the_call_has_the_trace_in_a_header_and_nowhere_else(
    calls: list[Request], grace: Church, settings: Settings
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "TRACE": f"{__name__}.the_trace"}
    message = send(grace)
    [call] = calls
    assert call.header_values("traceparent") == [f"00-{TRACE.hex}-{message.pk:016x}-01"]
    assert TRACE.hex.encode() not in call.body
    assert TRACE.hex not in f"{call.path}?{call.query}"


def test_the_call_of_a_text_without_a_trace_has_no_header(
    calls: list[Request], grace: Church, settings: Settings
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "TRACE": None}
    send(grace)
    assert [call.header_values("traceparent") for call in calls] == [[]]
