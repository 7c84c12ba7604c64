"""One thread per request, from the first signal to the last.

Django's ASGI handler changes threads for its signals, for a synchronous view, for each synchronous
half of a middleware, and to close the response. With our chain that means some twenty hops and a new
database connection for each request. Here everything that is synchronous runs in one call in one
thread of a pool, which keeps its connection (docs/decisions/0006, 0053).

Two kinds of requests have small pools of their own:

* Long polls (``koinonia.http.held_requests``). They arrive and finish as a thundering herd. In
  their own pool they queue without starving other requests.
* Readiness probes. A probe must be answered while a database that hangs holds every other thread.
  ``/healthz`` needs no thread (``koinonia.health.liveness``).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from os import SEEK_END
from time import perf_counter
from typing import Any, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from koinonia.config import log_context
from koinonia.health.metrics import requests as request_metrics
from koinonia.http import held_requests
from koinonia.http.held_requests import HeldResponse
from koinonia.http.pools import RequestPool, until_disconnect
from koinonia.http.scopes import Receive, Scope, Send

THREADS = 16
"""More threads would only wait for the lock of the interpreter, and for the lock of SQLite."""
WAITING_THREADS = 2
"""For the two short passes of a long poll. More would take the interpreter from other requests."""

_pool = RequestPool(THREADS, "request")
_waiting_pool = RequestPool(WAITING_THREADS, "waiting-request")
_health_pools = {"/readyz": RequestPool(4, "readyz-request")}

_T = TypeVar("_T")


class RequestThreadHandler(ASGIHandler):
    """Django's ASGI handler, with everything synchronous in one thread of a pool."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
            began = perf_counter()
            pool = _pool_of(scope)
            request, response = await _run(pool, receive, self._respond, scope, body)
            is_held = request is not None and isinstance(response, HeldResponse)
            if request is not None and isinstance(response, HeldResponse):
                response = await self._finish_held(pool, receive, request, response)
            request_metrics.count(request, response, perf_counter() - began, held=is_held)
            if response.streaming:
                await self._stream(pool, receive, send, response)
            else:
                await self.send_response(response, send)
        except RequestAborted:
            # The client has gone. A thread that works for it completes its work.
            return

    async def read_body(self, receive: Receive) -> Any:
        """Return the body as a file. Django's own file costs more than most bodies."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        if not message.get("more_body", False):
            return BytesIO(message.get("body", b""))
        return await super().read_body(_again(message, receive))

    def create_request(self, scope: Any, body_file: Any) -> Any:
        request, refusal = super().create_request(scope, body_file)
        if request is not None and "CONTENT_LENGTH" not in request.META:
            # A chunked body has no length, and Django and DRF would treat it as empty.
            request.META["CONTENT_LENGTH"] = str(body_file.seek(0, SEEK_END))
            body_file.seek(0)
        return request, refusal

    def _respond(self, scope: Scope, body: Any) -> tuple[HttpRequest | None, HttpResponseBase]:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None:
            body.close()
            return None, self._closed(refusal)
        if context := log_context.current.get():
            context.request = request
        held_requests.allow_holding(request)
        return request, self._respond_to(request)

    def _respond_to(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        except BaseException:
            close_old_connections()
            raise
        if isinstance(response, HeldResponse) or response.streaming:
            # Others may need the connection of this thread while this response goes on.
            close_old_connections()
            return response
        return self._closed(response)

    def _closed(self, response: HttpResponseBase) -> HttpResponseBase:
        """Close a response that is complete: its bytes stay, and Django's last signal needs no hop."""
        response._handler_class = type(self)  # type: ignore[attr-defined] # the sender of the signal
        response.close()
        return response

    async def _finish_held(
        self, pool: RequestPool, receive: Receive, request: HttpRequest, held: HeldResponse
    ) -> HttpResponseBase:
        async with ThreadSensitiveContext(executor=pool):
            await until_disconnect(receive, held_requests.finish(request, held))
        cookies = held.cookies
        response = await _run(pool, receive, self._respond_to, request)
        for name, cookie in cookies.items():
            # The first pass may have renewed the session: its cookie must reach the client.
            response.cookies.setdefault(name, cookie)
        return response

    async def _stream(
        self, pool: RequestPool, receive: Receive, send: Send, response: HttpResponseBase
    ) -> None:
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        try:
            # A synchronous iterator runs in a thread of the pool.
            async with ThreadSensitiveContext(executor=pool):
                await until_disconnect(receive, self.send_response(response, send))
        finally:
            await pool.run(self._closed, response)


async def _run(pool: RequestPool, receive: Receive, work: Callable[..., _T], *given: Any) -> _T:
    """Run ``work`` in a thread. While all threads are busy, give up a client that disconnects."""
    running = pool.run(work, *given)
    return await (until_disconnect(receive, running) if pool.is_busy else running)


def _again(first: Any, receive: Receive) -> Receive:
    """Return ``receive`` with a message before the others."""
    read = False

    async def again() -> Any:
        nonlocal read
        if read:
            return await receive()
        read = True
        return first

    return again


def _pool_of(scope: Scope) -> RequestPool:
    path = scope["path"]
    if path in _health_pools:
        return _health_pools[path]
    return _waiting_pool if _is_long_poll(scope) else _pool


def _is_long_poll(scope: Scope) -> bool:
    """Return whether the request asks to wait. The query comes first: to resolve a path is slow."""
    asks = b"wait=" in scope.get("query_string", b"")
    return asks and held_requests.is_holdable(scope["path"].removeprefix(get_script_prefix(scope)))
