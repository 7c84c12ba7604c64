"""Long polls that wait without a thread and without a database connection.

A held request passes through the middleware chain twice, each time in a thread. Between the two
passes the request is only a coroutine:

1. The view checks access, in a thread with a database connection, and returns ``hold(...)``. The
   thread and the connection are free again.
2. The event loop awaits the answer.
3. The chain runs a second time around the finished answer, so that it is compressed, dated and
   counted like any other. The view itself does not run again.

``koinonia.http.request_threads`` drives these steps. Under any other handler (Django's test
client, a WSGI server) ``hold`` waits in its thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

Finish = Callable[[], Awaitable[HttpResponseBase]]
View = Callable[..., HttpResponseBase]

_CAN_HOLD = "koinonia.can_hold"
_OUTCOME = "koinonia.held_outcome"
_HOLDABLE = "is_holdable"


class HeldResponse(HttpResponse):
    """A placeholder for an answer that is not ready. It never reaches a client."""

    def __init__(self, finish: Finish) -> None:
        super().__init__(status=204)
        self.finish = finish


def allow_holding(request: HttpRequest) -> None:
    """Declare that the handler of ``request`` can await a :class:`HeldResponse`."""
    request.META[_CAN_HOLD] = True


def holdable(view: View) -> View:
    """Mark a synchronous view that may return ``hold(...)``."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        outcome = request.META.pop(_OUTCOME, None)
        if outcome is None:
            return view(request, *args, **kwargs)
        if isinstance(outcome, Exception):
            raise outcome
        finished: HttpResponseBase = outcome
        return finished

    setattr(answer, _HOLDABLE, True)
    return answer


def is_holdable(path: str) -> bool:
    """Return whether the view of this path is marked with ``holdable``."""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return getattr(match.func, _HOLDABLE, False)


def hold(request: HttpRequest, finish: Finish) -> HttpResponseBase:
    """Return a placeholder for the answer of ``finish``, or wait here if the handler cannot hold."""
    if request.META.get(_CAN_HOLD):
        return HeldResponse(finish)
    return async_to_sync(finish)()


async def finish(request: HttpRequest, held: HeldResponse) -> None:
    """Await the answer or the error, and keep it for the second pass through the chain."""
    try:
        request.META[_OUTCOME] = await held.finish()
    except Exception as error:
        request.META[_OUTCOME] = error
