from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from koinonia.request_threads import RequestThreadHandler, with_request_threads
from koinonia.static_files import Application

seen: list[str] = []


class Watching:
    """A middleware that notes the thread it runs in."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: object) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen.append(threading.current_thread().name)
        response: HttpResponse = self.get_response(request)  # type: ignore[operator]
        seen.append(threading.current_thread().name)
        return response


def view(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(b"ok")


urlpatterns = [path("plain/", view), path("waiting/events/", view)]


@pytest.fixture(autouse=True)
def our_urls(settings: object) -> None:
    seen.clear()
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    settings.MIDDLEWARE = [f"{__name__}.Watching", f"{__name__}.Watching"]  # type: ignore[attr-defined]


async def _get(application: Application, where: str) -> int:
    answered: list[Mapping[str, Any]] = []
    asked = asyncio.Queue[Mapping[str, Any]]()
    asked.put_nowait({"type": "http.request", "body": b""})

    async def send(message: Mapping[str, Any]) -> None:
        answered.append(message)

    scope = {"type": "http", "method": "GET", "path": where, "headers": [], "query_string": b""}
    await application(scope, asked.get, send)
    return int(answered[0]["status"])


async def test_middleware_and_view_run_in_one_thread() -> None:
    assert await _get(RequestThreadHandler(), "/plain/") == 200
    assert len(seen) == 5
    assert len(set(seen)) == 1
    assert seen[0].startswith("request")


@pytest.mark.parametrize(("where", "in_pool"), [("/plain/", True), ("/waiting/events/", False)])
async def test_only_what_waits_is_left_to_django(where: str, in_pool: bool) -> None:
    assert await _get(with_request_threads(ASGIHandler()), where) == 200
    assert all(name.startswith("request") == in_pool for name in seen)
