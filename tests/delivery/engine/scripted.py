"""Helpers for tests of the engine without HTTP: a provider with scripted answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message, Outcome
from delivery.providers.base import OutboundText, SendOutcome
from delivery.providers.telnyx.client import body
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.support.waiting import wait_until

ACCEPTED = SendOutcome(kind=Outcome.ACCEPTED, provider_id="given", http_status=200)
UNAVAILABLE = SendOutcome(kind=Outcome.RETRYABLE, code="10037", http_status=503)
LOST = SendOutcome(kind=Outcome.AMBIGUOUS, code="answer_lost", reached=False)


class HeldProvider(ScriptedProvider):
    """Answers only after the test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.begun: list[OutboundText] = []

    def answers(self, answer: SendOutcome) -> None:
        self._answers = [answer]

    def send(self, request: OutboundText) -> SendOutcome:
        self.begun.append(request)
        self.released.wait(30)
        return super().send(request)


def write(church: Church, text: str = "Hello", to: str = "+13125550001", **over: Any) -> Message:
    return accept_message(
        church, Draft(to=to, text=text), now=over.pop("now", timezone.now()), **over
    )


def drain(
    provider: ScriptedProvider, clock: Callable[[], datetime] = timezone.now, size: int = 2
) -> Drain:
    return Drain(Threads(size, lambda alias: provider), clock=clock)


def run_until(worker: Drain, condition: Callable[[], object]) -> None:
    """Run the worker repeatedly until the condition holds."""

    def holds() -> bool:
        worker.run(budget=0.5)
        return bool(condition())

    wait_until(holds)


def keys(requests: list[OutboundText]) -> set[tuple[str, bytes]]:
    return {(request.idempotency_key, body(request)) for request in requests}
