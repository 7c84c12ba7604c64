from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from koinonia.http.stopping import with_stopping
from realtime import stopping

SECONDS = 20


async def peace(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-word", b"peace")]})
    await send({"type": "http.response.body", "body": b"peace"})


async def head_of(path: str) -> tuple[int, dict[bytes, bytes]]:
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    asked: Any = ApplicationCommunicator(with_stopping(peace), scope)  # type: ignore[no-untyped-call]  # untyped
    await asked.send_input({"type": "http.request"})
    start = await asked.receive_output(SECONDS)
    return start["status"], dict(start["headers"])


async def test_before_term_the_answers_are_those_of_the_application() -> None:
    for path in ("/readyz", "/"):
        assert await head_of(path) == (200, {b"x-word": b"peace"})


async def test_after_term_readyz_says_no_and_other_answers_close_their_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopping, "_announced", True)
    status, headers = await head_of("/readyz")
    assert (status, headers[b"connection"]) == (503, b"close")
    assert await head_of("/") == (200, {b"x-word": b"peace", b"connection": b"close"})
