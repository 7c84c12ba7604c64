"""Sockets that are idle for more than a minute stay open."""

from __future__ import annotations

import asyncio

import pytest

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject

SILENCE_SECONDS = 68
"""Longer than the time-outs of redis-py (5 s), the servers (20 to 60 s) and usual proxies (60 s)."""


@pytest.mark.chaos
@pytest.mark.parametrize("layer", ["pubsub.RedisPubSubChannelLayer", "core.RedisChannelLayer"])
async def test_a_socket_gets_the_next_event_after_more_than_a_minute_of_silence(
    project: SecondProject, stream: str, session: str, layer: str
) -> None:
    other = project.beside(PROJECT_LAYER=f"channels_redis.{layer}")
    ports = [other.serve("daphne"), other.serve("uvicorn")]
    try:
        async with open_socket(ports[0], session) as ann, open_socket(ports[1], session) as bob:
            for one in (ann, bob):
                await one.subscribe(stream)
            await asyncio.sleep(SILENCE_SECONDS)
            await asyncio.to_thread(project.write, "append", stream, 1)
            for one in (ann, bob):
                # Only two heartbeats precede the event.
                for _ in range(2):
                    assert (await one.hear())["streams"] == {stream: 0}
                assert (await one.hear())["type"] == "events"
                assert one.numbers(stream) == [1]
    finally:
        other.close_servers()
