"""One line of the log for each request, without its query; and the request id in each answer.

The servers' own access logs stay off: they show queries, with people's numbers and tickets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from koinonia.config import log_context
from koinonia.config.log_context import LogContext
from koinonia.http.scopes import Application, Receive, Scope, Send

logger = logging.getLogger(__name__)

_PROBES = ("/healthz", "/readyz", "/metrics")
_WEBHOOKS = "/webhooks/"
_GONE = 499
"""The client went away before there was an answer. nginx writes the same number."""
_LONGEST_PATH = 200
_FAILED = 500


def with_request_log(application: Application) -> Application:
    """Wrap ``application``: give each request and each socket an id, and write a line per request."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(scope, send).run(application, receive)
        elif scope["type"] == "websocket":
            before = log_context.current.set(LogContext(scope["headers"]))
            try:
                await application(scope, receive, send)
            finally:
                log_context.current.reset(before)
        else:
            await application(scope, receive, send)

    return logged


class _Exchange:
    """A request and what is sent in answer."""

    __slots__ = ("_bytes", "_context", "_scope", "_send", "_status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._context = LogContext(scope["headers"])
        self._status = _GONE
        self._bytes = 0

    async def run(self, application: Application, receive: Receive) -> None:
        began = time.perf_counter()
        before = log_context.current.set(self._context)
        try:
            await application(self._scope, receive, self._pass_on)
        except Exception:
            self._status = _FAILED
            raise
        finally:
            self._write(time.perf_counter() - began)
            log_context.current.reset(before)

    async def _pass_on(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            own = (b"x-request-id", self._context.request_id.encode())
            message = {**message, "headers": [*message.get("headers", ()), own]}
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))
        await self._send(message)

    def _write(self, seconds: float) -> None:
        level = self._level()
        if not logger.isEnabledFor(level):
            return
        request, scope = self._context.request, self._scope
        match = getattr(request, "resolver_match", None)
        logger.log(
            level,
            "A request was answered",
            extra={
                "action": "request",
                "method": scope["method"],
                "route": f"/{match.route}" if match is not None else "",
                "path": scope["path"][:_LONGEST_PATH],
                "status": self._status,
                "duration_ms": round(seconds * 1000, 1),
                "bytes": self._bytes,
                "user": _user_of(request),
            },
        )

    def _level(self) -> int:
        path = self._scope["path"]
        if path.startswith(_PROBES) or path.startswith(settings.STATIC_URL):
            return logging.DEBUG
        if path.startswith(_WEBHOOKS) and self._context.request is None:
            # delivery has written a line of its own, with the provider's id.
            return logging.DEBUG
        return logging.WARNING if self._status >= _FAILED else logging.INFO


def _user_of(request: Any) -> int | None:
    """Return the user's id, if the request has asked for its user: a line must cost no query."""
    known = {} if request is None else vars(request)
    user = known.get("_cached_user") or known.get("user")
    return None if isinstance(user, SimpleLazyObject) else getattr(user, "pk", None)
