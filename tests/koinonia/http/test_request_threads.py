from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import path

from koinonia.http import request_threads
from koinonia.http.held_requests import hold, holdable
from koinonia.http.pools import RequestPool
from koinonia.http.request_threads import THREADS, RequestThreadHandler

seen: list[str] = []


class Watching:
    """A middleware that records the thread it runs in."""

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


@holdable
def waiting(request: HttpRequest) -> HttpResponseBase:
    seen.append(threading.current_thread().name)
    return hold(request, _news)


async def _news() -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(b"news")


@holdable
def failing(request: HttpRequest) -> HttpResponseBase:
    return hold(request, _no_news)


async def _no_news() -> HttpResponse:
    raise PermissionDenied


stopped = threading.Event()


def hanging(request: HttpRequest) -> HttpResponse:
    stopped.wait()
    return HttpResponse(b"late")


urlpatterns = [
    path("plain/", view),
    path("waiting/", waiting),
    path("failing/", failing),
    path("hanging/", hanging),
    path("readyz", view),
]


@pytest.fixture(autouse=True)
def our_urls(settings: object) -> None:
    seen.clear()
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    settings.MIDDLEWARE = [f"{__name__}.Watching", f"{__name__}.Watching"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def fresh_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the pools: their threads may hold a connection of an earlier test."""
    pools = {
        "_pool": RequestPool(THREADS, "request"),
        "_waiting_pool": RequestPool(request_threads.WAITING_THREADS, "waiting-request"),
    }
    for name, pool in pools.items():
        monkeypatch.setattr(request_threads, name, pool)
    probes = {path: RequestPool(THREADS, path.strip("/")) for path in request_threads._health_pools}
    monkeypatch.setattr(request_threads, "_health_pools", probes)
    yield
    stopped.set()
    for pool in (*pools.values(), *probes.values()):
        pool.shutdown()
    stopped.clear()


async def _get(where: str, query: bytes = b"") -> tuple[int, bytes]:
    answered: list[Mapping[str, Any]] = []
    asked = asyncio.Queue[Mapping[str, Any]]()
    asked.put_nowait({"type": "http.request", "body": b""})

    async def send(message: Mapping[str, Any]) -> None:
        answered.append(message)

    scope = {"type": "http", "method": "GET", "path": where, "headers": [], "query_string": query}
    await RequestThreadHandler()(scope, asked.get, send)
    return int(answered[0]["status"]), answered[1]["body"]


async def test_middleware_and_view_run_in_one_thread() -> None:
    assert await _get("/plain/") == (200, b"ok")
    assert len(seen) == 5
    assert len(set(seen)) == 1
    assert seen[0].startswith("request")


async def test_a_request_starts_no_thread() -> None:
    await _get("/plain/")
    started: list[str] = []
    ours = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        started.append(thread.name)
        ours(thread)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        for _ in range(20):
            await _get("/plain/")
    assert [name for name in started if not name.startswith(("request", "waiting-request"))] == []


async def test_a_readiness_probe_is_answered_while_every_other_thread_hangs() -> None:
    stopped.clear()
    hanging = [asyncio.create_task(_get("/hanging/")) for _ in range(THREADS + 4)]
    try:
        assert await asyncio.wait_for(_get("/readyz"), 60) == (200, b"ok")
        assert not any(task.done() for task in hanging)
    finally:
        stopped.set()
        await asyncio.gather(*hanging)


async def test_a_held_request_waits_in_the_event_loop_between_two_passes_of_the_chain() -> None:
    loop = threading.current_thread().name
    assert await _get("/waiting/", b"wait=5") == (200, b"news")
    first, between, second = seen[:5], seen[5], seen[6:]
    assert between == loop
    assert len(first) == 5  # in and out of each middleware, and the view
    assert len(second) == 4  # the middleware again, without the view
    assert all(name.startswith("waiting-request") for name in first + second)


async def test_a_request_that_asks_to_wait_on_another_view_uses_the_main_pool() -> None:
    await _get("/plain/", b"wait=5")
    assert all(name.startswith("request") for name in seen)


async def test_an_error_while_a_request_is_held_is_answered_like_any_other() -> None:
    assert (await _get("/failing/"))[0] == 403


def test_a_handler_that_cannot_hold_waits_in_its_thread(client: Client) -> None:
    assert client.get("/waiting/").content == b"news"
