"""Tests that are about the engine, not about HTTP: a provider that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message, Outcome
from delivery.providers.base import SendRequest, Verdict
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.testing import ScriptedProvider
from koinonia.models import Church

ACCEPTED = Verdict(outcome=Outcome.ACCEPTED, provider_id="given", http_status=200)
UNAVAILABLE = Verdict(outcome=Outcome.RETRYABLE, code="10037", http_status=503)
LOST = Verdict(outcome=Outcome.AMBIGUOUS, code="answer_lost", reached=False)


class HeldProvider(ScriptedProvider):
    """Answers nobody before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.begun: list[SendRequest] = []

    def answers(self, answer: Verdict) -> None:
        self._answers = [answer]

    def send(self, request: SendRequest) -> Verdict:
        self.begun.append(request)
        self.let_go.wait(30)
        return super().send(request)


def write(church: Church, text: str = "Hello", to: str = "+13125550001", **over: Any) -> Message:
    return accept_message(
        church, Draft(to=to, text=text), now=over.pop("now", timezone.now()), **over
    )


def drain(
    provider: ScriptedProvider, clock: Callable[[], datetime] = timezone.now, size: int = 2
) -> Drain:
    return Drain(Threads(size, lambda: provider), clock=clock)


def keys(requests: list[SendRequest]) -> set[tuple[str, bytes]]:
    return {(request.idempotency_key, request.body) for request in requests}
