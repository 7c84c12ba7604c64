"""A provider with scripted answers, for tests of a project that sends texts.

Use it as ``BACKEND`` of a provider (it accepts all), or hand ``lambda alias: provider`` to
:class:`delivery.sending.threads.Threads`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from delivery.models import Outcome
from delivery.providers.base import (
    Account,
    Capabilities,
    DeliveryReport,
    InboundText,
    NotConfiguredError,
    OutboundText,
    Provider,
    ProviderEvent,
    SendOutcome,
    WebhookRequest,
    account_name,
)

Answer = SendOutcome | Callable[[OutboundText], SendOutcome]


class ScriptedProvider(Provider):
    """Gives ``answers`` in order, then repeats the last one; remembers all requests.

    It takes an idempotency key once: a repeat gets the id of the first call.
    """

    key = "scripted"
    name = "A scripted provider"
    capabilities = Capabilities(key_memory=timedelta(hours=24))

    def __init__(self, alias: str = "scripted", answers: Iterable[Answer] = ()) -> None:
        super().__init__(alias)
        self._answers = list(answers) or [SendOutcome(kind=Outcome.ACCEPTED, http_status=200)]
        self._lock = threading.Lock()
        self.requests: list[OutboundText] = []
        self.accepted: dict[str, str] = {}
        """Provider ids by idempotency key."""

    @property
    def account(self) -> Account:
        return Account(self.alias, account_name("scripted", self.alias))

    def send(self, text: OutboundText) -> SendOutcome:
        with self._lock:
            self.requests.append(text)
            answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        outcome = answer if isinstance(answer, SendOutcome) else answer(text)
        if outcome.kind != Outcome.ACCEPTED:
            return outcome
        return replace(outcome, provider_id=self.accept(text))

    def accept(self, text: OutboundText) -> str:
        """Record the text as accepted, even if the scripted answer is an error; return its id."""
        with self._lock:
            return self.accepted.setdefault(text.idempotency_key, str(uuid.uuid4()))

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        raise NotConfiguredError("A scripted provider has no webhooks.")

    def read_event(self, event: ProviderEvent) -> DeliveryReport | InboundText | None:
        return None

    def explain(self, code: str) -> str:
        return ""
