"""The two shells around the intake, with one face: the Django view, and the ASGI application."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.core.asgi import get_asgi_application
from django.test import Client

from delivery.webhooks.asgi import WebhookIntake
from tests.delivery.webhooks.signing import signed

Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes


class Shell(ABC):
    @abstractmethod
    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer: ...

    def post(
        self, body: bytes | dict[str, Any], ref: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        path = f"/webhooks/telnyx/{ref}/" if ref else "/webhooks/telnyx/"
        return self.send("POST", path, content, signed(content) if headers is None else headers)


class ViewShell(Shell):
    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        # Send a request that enforces CSRF protection, as from a browser.
        client = Client(enforce_csrf_checks=True)
        answer: Any = client.generic(method, path, body, "application/json", headers=headers)
        return Answer(
            answer.status_code,
            {name.lower(): value for name, value in answer.items()},
            answer.content,
        )


class ApplicationShell(Shell):
    def __init__(self) -> None:
        self._application = WebhookIntake(get_asgi_application())

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        fields = [
            (b"host", b"testserver"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items()),
        ]
        return call(self._application, method, path, body, fields)


def call(
    application: Application,
    method: str,
    path: str,
    body: bytes,
    headers: list[tuple[bytes, bytes]],
    **over: Any,
) -> Answer:
    """Send one request to an ASGI application and return its answer."""
    return asyncio.run(call_within(application, method, path, [body], headers, **over))


async def call_within(
    application: Application,
    method: str,
    path: str,
    pieces: list[bytes],
    headers: list[tuple[bytes, bytes]],
    **over: Any,
) -> Answer:
    """Send the body in pieces, and then nothing until the client disconnects."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": unquote(path), "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "headers": headers, "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80), **over,
    }  # fmt: skip
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if waiting:
            return waiting.pop(0)
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # never

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start, *bodies = sent
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in bodies),
    )
