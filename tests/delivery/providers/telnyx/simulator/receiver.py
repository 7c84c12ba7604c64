from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from delivery.providers.simulator.server import Answer, Request, Server

PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def event(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    @property
    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = json.loads(self.body)["meta"]
        return meta

    @property
    def type(self) -> str:
        return str(self.event["event_type"])

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.event["payload"]
        return payload

    @property
    def status(self) -> str:
        return str(self.payload["to"][0]["status"])


class Receiver:
    """A webhook receiver: stores requests and answers 200, or ``answers[path]``."""

    def __init__(self) -> None:
        self._server = Server("127.0.0.1", 0, self._take)
        self._changed = threading.Condition()
        self.clear()

    def clear(self) -> None:
        with self._changed:
            self.received: list[Received] = []
            self.answers: dict[str, Callable[[], Answer]] = {}

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self._server.port}{path}"

    def wait_for(self, count: int, only: str | None = None) -> list[Received]:
        """Return the first ``count`` events (of one type), or raise AssertionError with all that
        arrived."""

        def chosen() -> list[Received]:
            return [one for one in self.received if only in (None, one.type)]

        with self._changed:
            came = self._changed.wait_for(lambda: len(chosen()) >= count, PATIENCE_SECONDS)
            assert came, f"Only {[one.type for one in self.received]} came."
            return chosen()[:count]

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _take(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            self.received.append(Received(request.path, headers, request.body))
            self._changed.notify_all()
            answer = self.answers.get(request.path, Answer)
        return answer()
