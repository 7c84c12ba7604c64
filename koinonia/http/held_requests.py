"""Requests that wait for news, and hold neither a thread nor a database connection meanwhile.

The view of such a request runs twice in the middleware chain, each time in a thread, and between the
two the request is only a coroutine:

1. The view decides who may ask, in a thread with a database connection, and returns ``hold(...)``.
   The thread and the connection are free again.
2. The event loop awaits the answer.
3. The chain runs once more around the finished answer: it is compressed, dated and counted as all
   others are. The view itself does not run again.

The handler of ``koinonia.http.request_threads`` does this. Under any other handler (Django's test client, a
WSGI server) ``hold`` waits in its thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

Finish = Callable[[], Awaitable[HttpResponseBase]]
View = Callable[..., HttpResponseBase]

_CAN_HOLD = "koinonia.can_hold"
_OUTCOME = "koinonia.held_outcome"


class HeldResponse(HttpResponse):
    """Stands for an answer that is still to come. No client gets it."""

    def __init__(self, finish: Finish) -> None:
        super().__init__(status=204)
        self.finish = finish


def allow_holding(request: HttpRequest) -> None:
    """Say that the handler of ``request`` awaits a :class:`HeldResponse`."""
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

    return answer


def hold(request: HttpRequest, finish: Finish) -> HttpResponseBase:
    """Return the answer that ``finish`` gives, awaited without a thread where the handler can do that."""
    if request.META.get(_CAN_HOLD):
        return HeldResponse(finish)
    return async_to_sync(finish)()


async def finish(request: HttpRequest, held: HeldResponse) -> None:
    """Await the answer, or the error, and keep it for the second run of the chain."""
    try:
        request.META[_OUTCOME] = await held.finish()
    except Exception as error:
        request.META[_OUTCOME] = error
