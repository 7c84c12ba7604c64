"""A provider that answers as it is told, for tests of a project that sends texts.

Use it as ``DELIVERY["PROVIDER"]`` (it accepts all), or hand an instance to
:class:`delivery.sending.threads.Threads`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

from delivery.models import Outcome
from delivery.providers.base import SendRequest, Verdict

Answer = Verdict | Callable[[SendRequest], Verdict]


class ScriptedProvider:
    """Gives ``answers`` in order, the last one for ever; remembers all requests.

    Like Telnyx it takes a key once: asked again, it gives the id that it gave before.
    """

    def __init__(self, answers: Iterable[Answer] = ()) -> None:
        self._answers = list(answers) or [Verdict(outcome=Outcome.ACCEPTED, http_status=200)]
        self._lock = threading.Lock()
        self.requests: list[SendRequest] = []
        self.accepted: dict[str, str] = {}
        """Provider ids by Idempotency-Key."""

    def send(self, request: SendRequest) -> Verdict:
        with self._lock:
            self.requests.append(request)
            answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        verdict = answer if isinstance(answer, Verdict) else answer(request)
        if verdict.outcome != Outcome.ACCEPTED:
            return verdict
        return replace(verdict, provider_id=self.accept(request))

    def accept(self, request: SendRequest) -> str:
        """Take the text, whatever is answered: its id."""
        with self._lock:
            return self.accepted.setdefault(request.idempotency_key, str(uuid.uuid4()))
