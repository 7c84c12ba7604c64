"""One thread per request, from the first middleware to the view.

Django's ASGI handler runs a synchronous view in a thread, and each synchronous half of a middleware
in a thread of its own again: with our chain, some twenty hops, a new thread and a new database
connection, for each request. Here the whole chain runs in one thread of a pool, which keeps its
connection.

A request that waits for news leaves its thread (``koinonia.http.held_requests``). Where many of them come or
end at once, they wait for each other and not the rest for them: they have a small pool of their own.
So have the probes of health, which must be answered while a database that hangs holds all other threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from os import SEEK_END
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from koinonia.http import held_requests

THREADS = 16
"""More would wait for each other: for the interpreter's lock, and for SQLite's."""
WAITING_THREADS = 2
"""For the two short runs of a request that waits. Two, so that a herd leaves the interpreter to others."""

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
_waiting_pool = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="waiting-request")
_health_pools = {
    "/healthz": ThreadPoolExecutor(1, thread_name_prefix="healthz"),
    "/readyz": ThreadPoolExecutor(4, thread_name_prefix="readyz-request"),
}
"""A database that hangs holds every thread of the other pools; a probe must be answered meanwhile."""


class RequestThreadHandler(ASGIHandler):
    """Django's handler, with the chain in a thread of a pool."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Django's own makes and ends a thread for each request, for signals that need none of it.
        # They are sent before and after the chain, in this pool.
        executor = _health_pools.get(scope["path"], _pool)
        async with ThreadSensitiveContext(executor=executor):
            await self.handle(scope, receive, send)

    def create_request(self, scope: Any, body_file: Any) -> Any:
        request, refusal = super().create_request(scope, body_file)
        if request is not None and "CONTENT_LENGTH" not in request.META:
            # A chunked body has none, and both Django and DRF would take it for no body at all.
            request.META["CONTENT_LENGTH"] = str(body_file.seek(0, SEEK_END))
            body_file.seek(0)
        return request, refusal

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        respond = sync_to_async(self._respond, thread_sensitive=False, executor=_pool_of(request))
        held_requests.allow_holding(request)
        response = await respond(request)
        if not isinstance(response, held_requests.HeldResponse):
            return response
        await held_requests.finish(request, response)
        cookies = response.cookies
        response = await respond(request)
        for name, cookie in cookies.items():
            # A session that was renewed in the first run: its cookie must reach the client.
            response.cookies.setdefault(name, cookie)
        return response

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        # Django's own signals do this in another thread, where our connection is not.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()


def _pool_of(request: HttpRequest) -> ThreadPoolExecutor:
    if request.path in _health_pools:
        return _health_pools[request.path]
    return _waiting_pool if _asks_to_wait(request) else _pool


def _asks_to_wait(request: HttpRequest) -> bool:
    """Guess; it decides nothing but the queue, for any view may hold its request."""
    return request.path.endswith("/events/") and "wait=" in request.META.get("QUERY_STRING", "")
