from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date

_Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


class DateMiddleware:
    """Adds the ``Date`` header (RFC 9110, 6.6.1), which daphne does not send.

    Run uvicorn with ``--no-date-header``; otherwise it adds a second ``Date`` header.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Handler) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._is_async:
            return self._later(request)
        return _with_date(cast(HttpResponse, self.get_response(request)))

    async def _later(self, request: HttpRequest) -> HttpResponse:
        return _with_date(await cast(Awaitable[HttpResponse], self.get_response(request)))


def _with_date(response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Date", http_date())
    return response
