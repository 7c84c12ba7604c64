"""Redis dies, freezes or loses its data: every client still gets exactly the committed events."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
import redis

from tests.realtime.client import Client, open_socket
from tests.realtime.second_project.processes import SecondProject
from tests.support.valkey import ValkeyServer

COUNT = 300
ALL = list(range(1, COUNT + 1))


def killed(valkey: ValkeyServer) -> None:
    valkey.process.kill()
    valkey.process.wait()


def frozen(valkey: ValkeyServer) -> None:
    os.kill(valkey.process.pid, signal.SIGSTOP)


def flushed(valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()


def disconnected(valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        for kind in ("normal", "pubsub"):
            client.client_kill_filter(_type=kind, skipme=True)


def back(valkey: ValkeyServer) -> None:
    if valkey.process.poll() is None:
        os.kill(valkey.process.pid, signal.SIGCONT)
    else:
        valkey.start()


@pytest.mark.parametrize("failure", [killed, frozen, flushed, disconnected])
async def test_every_event_arrives_during_a_failure_of_redis(
    project: SecondProject,
    port: int,
    stream: str,
    session: str,
    failure: Callable[[ValkeyServer], None],
) -> None:
    assert project.valkey is not None
    async with (
        open_socket(port, session) as ann,
        open_socket(port, session) as late,
        open_socket(port, session) as later,
    ):
        await ann.subscribe(stream, since=0)
        await _append(project, stream, 1, 100)
        failure(project.valkey)
        try:
            # A new subscription needs no Redis either.
            await late.subscribe(stream, since=0)
            await _append(project, stream, 101, 100)
            for client in (ann, late):
                assert await client.numbers_until(stream, 200) == ALL[:200]
        finally:
            back(project.valkey)
        await later.subscribe(stream, since=0)
        await _append(project, stream, 201, 100)
        for client in (ann, late, later):
            assert await client.numbers_until(stream, COUNT) == ALL


async def test_notices_arrive_again_after_redis_restarts(
    project: SecondProject, stream: str, session: str
) -> None:
    assert project.valkey is not None
    # Only a notice brings an event: the server checks the tail of the log once an hour.
    other, number = project.beside(PROJECT_TAIL="3600"), 0
    try:
        async with open_socket(other.serve(), session) as ann, asyncio.timeout(120):
            await ann.subscribe(stream, since=0)
            killed(project.valkey)
            back(project.valkey)
            while not ann.numbers(stream):
                # Repeat: the server misses the notices until it listens again.
                number += 1
                await _append(project, stream, number, 1)
                with suppress(TimeoutError):
                    await ann.numbers_until(stream, number, seconds=1)
            for _ in range(10):
                number += 1
                await _append(project, stream, number, 1)
                await ann.numbers_until(stream, number)
    finally:
        other.close_servers()


@pytest.mark.parametrize("layer", ["pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer", ""])
async def test_events_arrive_with_each_channel_layer_and_without_one(
    project: SecondProject, stream: str, session: str, layer: str
) -> None:
    assert project.valkey is not None
    url = project.valkey.url if layer else ""
    other = project.beside(PROJECT_REDIS_URL=url, PROJECT_LAYER=f"channels_redis.{layer}")
    try:
        port = other.serve()
        async with open_socket(port, session) as ann:
            await ann.subscribe(stream, since=0)
            await _append(project, stream, 1, COUNT)
            assert await ann.numbers_until(stream, COUNT) == ALL
            # Wait longer than the default timeout of redis-py: the hub must still receive notices.
            await asyncio.sleep(6)
            await _append(project, stream, COUNT + 1, 10)
            got: list[int] = await ann.numbers_until(stream, COUNT + 10)
            assert got == list(range(1, COUNT + 11))
    finally:
        other.close_servers()


async def _append(project: SecondProject, stream: str, first: int, count: int) -> None:
    await asyncio.to_thread(project.write, "append", stream, first, count, 3)


async def test_a_client_of_a_killed_server_resumes_on_another(
    project: SecondProject, stream: str, session: str
) -> None:
    first, second = project.serve(), project.serve("uvicorn")
    clients: list[Client] = []
    async with open_socket(first, session) as ann:
        epoch = (await ann.subscribe(stream, since=0))["epoch"]
        await _append(project, stream, 1, 100)
        await ann.hear("events")
        project.kill(first)
        clients.append(ann)
        await ann.close_code()
    await _append(project, stream, 101, 100)
    async with open_socket(second, session) as ann:
        await ann.subscribe(stream, since=clients[0].positions[stream], epoch=epoch)
        await ann.numbers_until(stream, 200)
        clients.append(ann)
    project.kill(second)
    assert clients[0].numbers(stream) + clients[1].numbers(stream) == ALL[:200]
