"""A thread per request, from the first middleware to the view.

Django's ASGI handler runs a synchronous view in a thread, and each synchronous half of a middleware
in another thread. With our chain that means some twenty hops, a new thread and a new database
connection for each request. Here the whole chain runs in one thread of a pool, which keeps its
connection.

Two kinds of requests have small pools of their own:

* Long polls (``koinonia.http.held_requests``). They arrive and finish as a thundering herd. In
  their own pool they queue without starving other requests.
* Health probes. A probe must be answered while a database that hangs holds every other thread.
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
"""More threads would only wait for the lock of the interpreter, and for the lock of SQLite."""
WAITING_THREADS = 2
"""For the two short passes of a long poll. More would take the interpreter from other requests."""

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
_waiting_pool = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="waiting-request")
_health_pools = {
    "/healthz": ThreadPoolExecutor(1, thread_name_prefix="healthz"),
    "/readyz": ThreadPoolExecutor(4, thread_name_prefix="readyz-request"),
}


class RequestThreadHandler(ASGIHandler):
    """Django's ASGI handler, with the whole chain in one thread of a pool."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Django creates a thread per request for its signals. This context sends them from a pool.
        executor = _health_pools.get(scope["path"], _pool)
        async with ThreadSensitiveContext(executor=executor):
            await self.handle(scope, receive, send)

    def create_request(self, scope: Any, body_file: Any) -> Any:
        request, refusal = super().create_request(scope, body_file)
        if request is not None and "CONTENT_LENGTH" not in request.META:
            # A chunked body has no length, and Django and DRF would treat it as empty.
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
            # The first pass may have renewed the session: its cookie must reach the client.
            response.cookies.setdefault(name, cookie)
        return response

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        # Django's signals would close the connections of another thread.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()


def _pool_of(request: HttpRequest) -> ThreadPoolExecutor:
    if request.path in _health_pools:
        return _health_pools[request.path]
    return _waiting_pool if _is_long_poll(request) else _pool


def _is_long_poll(request: HttpRequest) -> bool:
    """Return whether the request asks to wait. The query comes first: to resolve a path is slow."""
    asks = "wait=" in request.META.get("QUERY_STRING", "")
    return asks and held_requests.is_holdable(request)
