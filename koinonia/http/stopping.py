"""Answers while the process stops: ``/readyz`` says so, and no client keeps its connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koinonia.http.scopes import Application, Receive, Scope, Send
from realtime import stopping

_READYZ = "/readyz"
_BODY = b'{"ready": false, "status": "stopping", "parts": {}}'
_FIELDS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),
]


def with_stopping(application: Application) -> Application:
    """Wrap ``application``: from TERM on, ``/readyz`` is 503 and answers close their connections.

    The event loop answers, so that a load balancer hears it whatever else hangs.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif stopping.is_announced() and scope["path"] == _READYZ:
            await send({"type": "http.response.start", "status": 503, "headers": _FIELDS})
            await send({"type": "http.response.body", "body": _BODY})
        else:
            # The process may begin to stop while the application works.
            await application(scope, receive, _closing(send))

    return serve


def _closing(send: Send) -> Send:
    async def closing(message: Mapping[str, Any]) -> None:
        if stopping.is_announced() and message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(message)

    return closing
