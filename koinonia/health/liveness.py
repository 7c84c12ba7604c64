"""``/healthz`` on the event loop, before every thread, middleware and connection.

An orchestrator kills a process whose liveness probe fails. A probe that needed a thread or a database
would end every web process, and every socket, in the middle of a failover (docs/decisions/0064).
"""

from __future__ import annotations

import time

from django.utils.http import http_date

from koinonia.http.scopes import Application, Receive, Scope, Send

PATH = "/healthz"
_BODY = b"ok\n"
_FIELDS = [
    (b"Content-Type", b"text/plain"),
    (b"Cache-Control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Vary", b"Accept-Encoding"),
]


def with_liveness(application: Application) -> Application:
    """Wrap ``application``: answer GET and HEAD of ``/healthz`` without it, whatever the ``Host``."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_probe = scope["type"] == "http" and scope["path"] == PATH
        if not is_probe or scope["method"] not in ("GET", "HEAD"):
            await application(scope, receive, send)
            return
        now = http_date(time.time()).encode()
        headers = [*_FIELDS, (b"Expires", now), (b"Date", now)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # The server leaves the body of an answer to HEAD out.
        await send({"type": "http.response.body", "body": _BODY})

    return answer
