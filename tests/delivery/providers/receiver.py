"""A host of webhooks that keeps each request, for the rigs and for the tests of the simulators."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, Self, TypeVar

from delivery.providers.simulator.server import Answer, Request, Server

_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Webhook:
    """A call of the provider to our site."""

    url: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


W = TypeVar("W", bound=Webhook)


class Receiver(Generic[W]):
    """Keeps all webhooks, and answers 200 or ``answers[path]``. ``make`` is the class of the webhooks."""

    def __init__(self, make: type[W], path: str = "/hook") -> None:
        self._make, self._path = make, path
        self._server = Server("127.0.0.1", 0, self._take)
        self._changed = threading.Condition()
        self.received: list[W] = []
        self.answers: dict[str, Callable[[], Answer]] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def url(self, path: str = "") -> str:
        return self.origin + (path or self._path)

    def wait_for(self, count: int, only: Callable[[W], bool] = lambda _: True) -> list[W]:
        """Return the first ``count`` webhooks that ``only`` chooses, or fail with all that arrived."""

        def chosen() -> list[W]:
            return [webhook for webhook in self.received if only(webhook)]

        with self._changed:
            came = self._changed.wait_for(lambda: len(chosen()) >= count, _PATIENCE_SECONDS)
            assert came, f"Only {[webhook.body for webhook in self.received]} came."
            return chosen()[:count]

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _take(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            webhook = self._make(self.url(request.path), request.path, headers, request.body)
            self.received.append(webhook)
            self._changed.notify_all()
            answer = self.answers.get(request.path, Answer)
        return answer()
