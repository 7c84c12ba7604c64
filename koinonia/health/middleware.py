"""Health answers before anything asks for the ``Host``: a probe has none, or an address for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse

from koinonia.health.urls import urlpatterns

_Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
_VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    f"/{pattern.pattern}": pattern.callback for pattern in urlpatterns
}


class HealthMiddleware:
    """Answer the health paths; stand above what redirects to TLS, checks hosts or opens a session."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Handler) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        view = _VIEWS.get(request.path_info)
        if view is None:
            return self.get_response(request)
        return self._later(view, request) if self._is_async else _answer(view, request)

    async def _later(
        self, view: Callable[[HttpRequest], HttpResponse], request: HttpRequest
    ) -> HttpResponse:
        answer = sync_to_async(_answer, thread_sensitive=False)
        return await answer(view, request)


def _answer(view: Callable[[HttpRequest], HttpResponse], request: HttpRequest) -> HttpResponse:
    response = view(request)
    response["X-Content-Type-Options"] = "nosniff"
    return response
