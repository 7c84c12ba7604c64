"""Redis dies, freezes or forgets while events flow: every client ends with exactly those committed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest
import redis

from tests.realtime.client import Client, open_socket
from tests.realtime.second_project.processes import SecondProject
from tests.valkey import ValkeyServer

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


@pytest.mark.parametrize("harm", [killed, frozen, flushed, disconnected])
async def test_every_event_arrives_whatever_becomes_of_redis(
    project: SecondProject,
    port: int,
    stream: str,
    session: str,
    harm: Callable[[ValkeyServer], None],
) -> None:
    assert project.valkey is not None
    async with (
        open_socket(port, session) as ann,
        open_socket(port, session) as late,
        open_socket(port, session) as later,
    ):
        await ann.subscribe(stream, since=0)
        await _append(project, stream, 1, 100)
        harm(project.valkey)
        try:
            # A subscription needs no Redis either.
            await late.subscribe(stream, since=0)
            await _append(project, stream, 101, 100)
            for client in (ann, late):
                assert await client.numbers_until(stream, 200, seconds=4) == ALL[:200]
        finally:
            back(project.valkey)
        await later.subscribe(stream, since=0)
        await _append(project, stream, 201, 100)
        for client in (ann, late, later):
            assert await client.numbers_until(stream, COUNT, seconds=6) == ALL


async def test_notices_are_quick_again_once_redis_is_back(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    assert project.valkey is not None
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream, since=0)
        killed(project.valkey)
        back(project.valkey)

        async def latency(number: int) -> float:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await _append(project, stream, number, 1)
            await ann.numbers_until(stream, number)
            return loop.time() - began

        # Ten in a row under the tail check's period: not by luck.
        number, quick = 1, 0
        async with asyncio.timeout(20):
            while quick < 10:
                quick = quick + 1 if await latency(number) < 0.5 else 0
                number += 1


@pytest.mark.parametrize("layer", ["pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer", ""])
async def test_it_works_on_any_layer_and_without_one(
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
            assert await ann.numbers_until(stream, COUNT, seconds=4) == ALL
            # Longer than redis-py waits by itself: the hub must not go deaf in silence.
            await asyncio.sleep(6)
            await _append(project, stream, COUNT + 1, 10)
            got: list[int] = await ann.numbers_until(stream, COUNT + 10, seconds=4)
            assert got == list(range(1, COUNT + 11))
    finally:
        other.close_servers()


async def _append(project: SecondProject, stream: str, first: int, count: int) -> None:
    await asyncio.to_thread(project.write, "append", stream, first, count, 3)


async def test_a_client_hears_the_end_of_a_killed_server_on_the_next(
    project: SecondProject, stream: str, session: str
) -> None:
    first, second = project.serve(), project.serve("uvicorn")
    books: list[Client] = []
    async with open_socket(first, session) as ann:
        epoch = (await ann.subscribe(stream, since=0))["epoch"]
        await _append(project, stream, 1, 100)
        await ann.hear("events")
        project.kill(first)
        books.append(ann)
        await ann.close_code()
    await _append(project, stream, 101, 100)
    async with open_socket(second, session) as ann:
        await ann.subscribe(stream, since=books[0].positions[stream], epoch=epoch)
        await ann.numbers_until(stream, 200)
        books.append(ann)
    project.kill(second)
    assert books[0].numbers(stream) + books[1].numbers(stream) == ALL[:200]
