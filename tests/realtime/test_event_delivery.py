from __future__ import annotations

import asyncio

import pytest

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject, Server


async def test_committed_events_arrive_once_and_in_order(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    async with open_socket(port, session) as ann:
        assert await ann.hear() == {"type": "welcome", "protocol": 1, "heartbeat": 25}
        answer = await ann.subscribe(stream, since=0)
        assert (answer["seq"], answer["resumed"]) == (5, True)
        project.write("append", stream, 6, 20, 3)
        assert await ann.numbers_until(stream, 25) == list(range(1, 26))


async def test_a_subscribe_without_a_position_starts_at_the_head(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 5)
    async with open_socket(port, session) as ann:
        answer = await ann.subscribe(stream)
        assert (answer["seq"], answer["resumed"]) == (5, False)
        project.write("append", stream, 6)
        assert await ann.numbers_until(stream, 6) == [6]


async def test_a_reconnected_client_resumes(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 3)
    async with open_socket(port, session) as ann:
        epoch = (await ann.subscribe(stream, since=0))["epoch"]
        assert await ann.numbers_until(stream, 3) == [1, 2, 3]
    project.write("append", stream, 4, 1000, 100)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream, since=3, epoch=epoch)
        assert await ann.numbers_until(stream, 1003) == list(range(4, 1004))


@pytest.mark.parametrize("server", ["plain daphne", "plain uvicorn"])
async def test_plain_servers_deliver_the_same(
    project: SecondProject, port: int, stream: str, session: str, server: Server
) -> None:
    other = project.serve(server)
    async with open_socket(port, session) as ann, open_socket(other, session) as again:
        await ann.subscribe(stream)
        await again.subscribe(stream)
        project.write("append", stream, 1, 50, 7)
        assert await ann.numbers_until(stream, 50) == list(range(1, 51))
        assert await again.numbers_until(stream, 50) == list(range(1, 51))
    project.kill(other)


async def test_two_concurrent_writers_make_one_log(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    assert project.valkey is not None
    other = SecondProject(project.environment["PROJECT_DATABASE"], project.valkey.url)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream)
        await asyncio.gather(
            asyncio.to_thread(project.write, "append", stream, 1, 100, 1),
            asyncio.to_thread(other.write, "append", stream, 1001, 100, 3),
        )
        # The test client checks that frames leave no gap.
        while ann.positions[stream] < 200:
            await ann.hear("events")
    other.close()
    numbers = ann.numbers(stream)
    assert [n for n in numbers if n < 1000] == list(range(1, 101))
    assert [n for n in numbers if n > 1000] == list(range(1001, 1101))
