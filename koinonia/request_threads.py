"""One thread per request, from the first middleware to the view.

Django's ASGI handler runs a synchronous view in a thread, and each synchronous half of a middleware
in a thread of its own again: with our chain, some twenty hops, and a new database connection, for
each request. Here the whole chain runs in one thread of a pool, which keeps its connection.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from koinonia.static_files import Application, Receive, Scope, Send

THREADS = 16
"""More would wait for each other: for the interpreter's lock, and for SQLite's."""

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")


class RequestThreadHandler(ASGIHandler):
    """For all but the views that wait: an asynchronous view would hold its thread meanwhile."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        respond = sync_to_async(self._respond, thread_sensitive=False, executor=_pool)
        return await respond(request)

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        # Django's own signals do this in another thread, where our connection is not.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()


_WAITS = "/events/"


def with_request_threads(waiting: ASGIHandler) -> Application:
    """``waiting`` for the views that hold a request open, a thread for each other request."""
    threaded = RequestThreadHandler()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        handler = waiting if scope["path"].endswith(_WAITS) else threaded
        await handler(scope, receive, send)

    return application
