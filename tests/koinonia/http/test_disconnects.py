"""Clients that disconnect before, during and after the work for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from pytest_django import Settings

from koinonia.http import request_threads
from koinonia.http.held_requests import hold, holdable
from koinonia.http.pools import RequestPool
from koinonia.http.request_threads import RequestThreadHandler

seen: list[str] = []
released = threading.Event()
DISCONNECT = {"type": "http.disconnect"}


def blocking(request: HttpRequest) -> HttpResponse:
    seen.append("blocking")
    released.wait(30)
    return HttpResponse(b"late")


def body(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(request.body)


@holdable
def held(request: HttpRequest) -> HttpResponseBase:
    return hold(request, _nothing_comes)


async def _nothing_comes() -> HttpResponse:
    seen.append("held")
    try:
        await asyncio.Event().wait()
    finally:
        seen.append("cancelled")
    return HttpResponse()


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines())


async def _lines() -> AsyncIterator[bytes]:
    try:
        yield b"first\n"
        await asyncio.Event().wait()
    finally:
        seen.append("cancelled")


def listed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_with_thread(line) for line in (b"Grace\n", b"Hope\n"))


def _with_thread(line: bytes) -> bytes:
    seen.append(threading.current_thread().name)
    return line


urlpatterns = [
    path("blocking/", blocking),
    path("body/", body),
    path("held/", held),
    path("streamed/", streamed),
    path("listed/", listed),
]


@pytest.fixture(autouse=True)
def one_thread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the handler a pool of one thread, and the URLs of this file without middleware."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    pools = [RequestPool(1, "request"), RequestPool(1, "waiting")]
    monkeypatch.setattr(request_threads, "_pool", pools[0])
    monkeypatch.setattr(request_threads, "_waiting_pool", pools[1])
    seen.clear()
    released.clear()
    yield
    released.set()
    for pool in pools:
        pool.shutdown()


class Client:
    """One request, its answer, and the connection."""

    def __init__(self, where: str, *messages: Mapping[str, Any], query: bytes = b"") -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.inbox = asyncio.Queue[Mapping[str, Any]]()
        for message in messages or ({"type": "http.request", "body": b""},):
            self.inbox.put_nowait(message)
        scope = {
            "type": "http", "method": "POST", "path": where, "headers": [], "query_string": query,
        }  # fmt: skip
        handler = RequestThreadHandler()
        self.task = asyncio.ensure_future(handler(scope, self.inbox.get, self._send))

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)

    async def disconnect(self) -> None:
        self.inbox.put_nowait(DISCONNECT)
        await asyncio.wait_for(self.task, 30)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the handler sends no event
            await asyncio.sleep(0.001)


async def test_a_request_that_waits_for_a_thread_is_dropped_when_its_client_disconnects() -> None:
    first = Client("/blocking/")
    await until(lambda: seen == ["blocking"])
    second = Client("/blocking/")
    await second.disconnect()
    released.set()
    await first.task
    assert (first.body, second.sent) == (b"late", [])
    third = Client("/body/")
    await third.task
    assert seen.count("blocking") == 1


async def test_a_held_request_ends_when_its_client_disconnects() -> None:
    client = Client("/held/", query=b"wait=25")
    await until(lambda: seen == ["held"])
    await client.disconnect()
    assert (seen, client.sent) == (["held", "cancelled"], [])


async def test_a_held_request_ends_when_the_server_cancels_it() -> None:
    client = Client("/held/", query=b"wait=25")
    await until(lambda: seen == ["held"])
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.task
    assert seen == ["held", "cancelled"]


async def test_a_stream_ends_when_its_client_disconnects() -> None:
    client = Client("/streamed/")
    await until(lambda: client.body == b"first\n")
    await client.disconnect()
    assert seen == ["cancelled"]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
async def test_a_synchronous_stream_runs_in_a_thread_of_the_pool() -> None:
    client = Client("/listed/")
    await client.task
    assert client.body == b"Grace\nHope\n"
    assert all(name.startswith("request") for name in seen)


async def test_a_client_that_disconnects_in_its_body_gets_no_answer() -> None:
    client = Client(
        "/body/", {"type": "http.request", "body": b"pea", "more_body": True}, DISCONNECT
    )
    await client.task
    assert (seen, client.sent) == ([], [])


async def test_a_body_arrives_whole_from_several_messages() -> None:
    parts: list[Mapping[str, Any]] = [
        {"type": "http.request", "body": b"pea", "more_body": True},
        {"type": "http.request", "body": b"ce"},
    ]
    client = Client("/body/", *parts)
    await client.task
    assert client.body == b"peace"


@pytest.mark.parametrize("where", ["/body/", "/nowhere/"])
async def test_the_signals_of_a_request_are_sent_in_its_thread(where: str) -> None:
    threads: list[str] = []

    def note(**_: Any) -> None:
        threads.append(threading.current_thread().name)

    request_started.connect(note)
    request_finished.connect(note)
    try:
        await Client(where).task
    finally:
        request_started.disconnect(note)
        request_finished.disconnect(note)
    assert len(threads) == 2
    assert all(name.startswith("request") for name in threads)


async def test_a_stream_sends_the_last_signal_after_its_end() -> None:
    finished: list[bytes] = []
    client = Client("/streamed/")

    def note(**_: Any) -> None:
        finished.append(client.body)

    request_finished.connect(note)
    try:
        await until(lambda: client.body)
        assert finished == []
        await client.disconnect()
    finally:
        request_finished.disconnect(note)
    assert finished == [b"first\n"]
