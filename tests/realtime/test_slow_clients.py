"""A slow client is paused, then closed, and never delays another client."""

from __future__ import annotations

import asyncio

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject


async def test_a_client_that_acknowledges_gets_megabytes(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    await asyncio.to_thread(project.write, "append_large", stream, 1000, 2000)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream, since=0)
        while ann.positions[stream] < 1000:
            frame = await ann.hear("events")
            await ann.say(type="ack", stream=stream, seq=frame["to"])
    assert len(ann.events[stream]) == 1000


async def test_a_paused_client_continues_when_it_acknowledges(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    await asyncio.to_thread(project.write, "append_large", stream, 1000, 2000)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream, since=0)
        while ann.positions[stream] < 1000:
            await ann.hear("events")
            if ann.positions[stream] * 2000 > 256 * 1024:
                await ann.say(type="ack", stream=stream, seq=ann.positions[stream])
    assert len(ann.events[stream]) == 1000


async def test_a_client_that_does_not_acknowledge_is_closed_and_can_resume(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    await asyncio.to_thread(project.write, "append_large", stream, 1000, 2000)
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream, since=0)
        assert await ann.close_code() == 4408
        received = ann.positions[stream]
        # 256 KiB and the frame that exceeded them.
        assert 256 * 1024 <= received * 2000 <= 400 * 1024
    async with open_socket(port, session) as again:
        await again.subscribe(stream, since=received)
        frame = await again.hear("events")
        assert frame["from"] == received + 1


async def test_a_slow_client_does_not_delay_another(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    async with open_socket(port, session) as slow, open_socket(port, session) as fast:
        await slow.subscribe(stream)
        await fast.subscribe(stream)
        for _ in range(5):
            await asyncio.to_thread(project.write, "append_large", stream, 200, 2000)
        while fast.positions[stream] < 1000:
            frame = await fast.hear("events")
            await fast.say(type="ack", stream=stream, seq=frame["to"])
