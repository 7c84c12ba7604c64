"""The hub: shared work of a process, and no leaks after the last socket."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from realtime import credentials, tickets
from realtime.authorization import Access
from realtime.consumer import EventConsumer
from realtime.feed import Frame
from realtime.hub import Hub
from realtime.log_reader import Head
from realtime.models import Stream
from realtime.socket_counts import SocketCounts
from realtime.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 20
"""On a busy machine a step may take seconds."""
SETTINGS = {"MAY_LISTEN": "tests.realtime.test_hub.everyone"}


def everyone(user: Any, key: str) -> bool:
    return True


def _ticket() -> str:
    user = User.objects.get_or_create(username="ann")[0]
    return tickets.issue(credentials.of_user(user), now=timezone.now())[0]


async def _connect() -> WebsocketCommunicator:
    ticket = await in_thread(_ticket)
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), f"/ws/v1/?ticket={ticket}")
    await socket.connect(timeout=SECONDS)
    assert (await socket.receive_json_from(SECONDS))["type"] == "welcome"
    return socket


async def _until(condition: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - conditions have no event
            await asyncio.sleep(0.01)


@override_settings(REALTIME=SETTINGS)
async def test_closed_sockets_leave_nothing_behind() -> None:
    before = asyncio.all_tasks()
    sockets = [await _connect() for _ in range(5)]
    for socket in sockets:
        for stream in ("church:grace", "church:hope"):
            await socket.send_json_to({"type": "subscribe", "stream": stream})
            assert (await socket.receive_json_from(SECONDS))["type"] == "subscribed"
    hub = Hub.current()
    assert (len(hub.sockets), set(hub.feeds)) == (5, {"church:grace", "church:hope"})
    assert all(len(feed.listeners) == 5 for feed in hub.feeds.values())
    for socket in sockets[:-1]:
        await socket.disconnect(timeout=SECONDS)
    assert len(hub.sockets) == 1
    await sockets[-1].disconnect(timeout=SECONDS)
    assert (hub.sockets, hub.feeds) == ({}, {})
    await _until(lambda: _ours(asyncio.all_tasks() - before) == [])


def _ours(tasks: set[asyncio.Task[Any]]) -> list[str]:
    """Return the names of our tasks; the channel layer keeps a task for its connection."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in tasks]
    return [name for name in names if not name.startswith("RedisSingleShardConnection")]


@override_settings(REALTIME={**SETTINGS, "ENABLED": False})
async def test_a_socket_closes_with_4503_when_realtime_is_off() -> None:
    ticket = await in_thread(_ticket)
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), f"/ws/v1/?ticket={ticket}")
    await socket.connect(timeout=SECONDS)
    assert (await socket.receive_output(SECONDS))["code"] == 4503


@override_settings(REALTIME={**SETTINGS, "CONNECT_LIMIT": "tests.realtime.test_hub.never"})
async def test_the_connect_limit_of_the_host_applies() -> None:
    ticket = await in_thread(_ticket)
    socket = WebsocketCommunicator(EventConsumer.as_asgi(), f"/ws/v1/?ticket={ticket}")
    await socket.connect(timeout=SECONDS)
    assert (await socket.receive_output(SECONDS))["code"] == 4429


def never(user: Any) -> bool:
    return False


@override_settings(REALTIME=SETTINGS)
async def test_an_error_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    socket = await _connect()

    def fails(key: str) -> None:
        raise RuntimeError("The database is gone.")

    monkeypatch.setattr("realtime.log_reader.read_head", fails)
    await socket.send_json_to({"type": "subscribe", "stream": "church:grace"})
    with pytest.raises(RuntimeError, match="The database is gone"):
        await socket.wait(SECONDS)
    assert (Hub.current().sockets, Hub.current().feeds) == ({}, {})
    assert await in_thread(Stream.objects.count) == 0


class IgnoringListener:
    """Listens to a feed and ignores it."""

    def push(self, frame: Frame) -> None:
        pass

    def reread(self) -> None:
        pass


@override_settings(REALTIME=SETTINGS)
async def test_an_idle_hub_joins_its_groups_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub = Hub.current()
    for _ in range(3):  # polls that find an idle hub
        listener = IgnoringListener()
        hub.subscribe("church:grace", listener)
        await _until(lambda: len(hub.notices.joined) == 2)
        hub.unsubscribe("church:grace", listener)
        await _until(lambda: hub.notices.channel is None)
    assert [record.getMessage() for record in caplog.records] == []


@override_settings(REALTIME=SETTINGS)
async def test_a_hub_that_stops_while_it_joins_its_groups_warns_of_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub, before = Hub.current(), asyncio.all_tasks()
    for _ in range(3):
        listener = IgnoringListener()
        hub.subscribe("church:grace", listener)
        async with asyncio.timeout(SECONDS):
            while not hub.notices.joined:  # noqa: ASYNC110 - the join has no event
                await asyncio.sleep(0)
        hub.unsubscribe("church:grace", listener)
    await _until(lambda: _ours(asyncio.all_tasks() - before) == [])
    assert [record.getMessage() for record in caplog.records] == []


@override_settings(REALTIME=SETTINGS)
async def test_a_socket_that_closes_during_a_subscribe_gets_no_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    socket = await _connect()
    [consumer] = Hub.current().sockets
    reading, may_answer = threading.Event(), threading.Event()

    def reads_slowly(key: str) -> Head:
        reading.set()
        may_answer.wait(SECONDS)
        return Head(key, 1, "e", 0, 0)

    monkeypatch.setattr("realtime.log_reader.read_head", reads_slowly)
    await socket.send_json_to({"type": "subscribe", "stream": "church:grace"})
    await _until(reading.is_set)
    await consumer.apply_access(Access(expired=True))
    may_answer.set()
    closed = await socket.receive_output(SECONDS)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
    await socket.send_json_to({"type": "ping"})
    assert await socket.receive_nothing()
    assert (Hub.current().sockets, Hub.current().feeds) == ({}, {})


@override_settings(REALTIME={**SETTINGS, "COUNT_SECONDS": 60})
async def test_no_task_outlives_the_last_socket_during_a_database_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = asyncio.all_tasks()
    socket = await _connect()

    def fail(*_: Any) -> None:
        raise OperationalError("The database is away.")

    monkeypatch.setattr(SocketCounts, "exchange", fail)
    await socket.disconnect(timeout=SECONDS)
    await _until(lambda: _ours(asyncio.all_tasks() - before) == [])
