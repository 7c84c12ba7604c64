"""The network goes while events are written: every client ends with exactly those committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.realtime.chaos_proxy import ChaosProxy
from tests.realtime.client import open_socket
from tests.realtime.follower import Follower
from tests.realtime.second_project.processes import SecondProject


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def beating_port(project: SecondProject, request: pytest.FixtureRequest) -> Iterator[int]:
    """Of a server whose heart beats so often that a dead connection is soon known."""
    beating = project.beside(PROJECT_HEARTBEAT="1")
    yield beating.serve(request.param)
    beating.close_servers()


@pytest.fixture
def proxy(beating_port: int) -> Iterator[ChaosProxy]:
    with ChaosProxy(beating_port) as proxy:
        yield proxy


def stalled(proxy: ChaosProxy) -> None:
    proxy.stall()


def reset(proxy: ChaosProxy) -> None:
    proxy.reset()


def truncated(proxy: ChaosProxy) -> None:
    proxy.truncate(after=37)


def half_opened(proxy: ChaosProxy) -> None:
    proxy.half_open()


def swallowed(proxy: ChaosProxy) -> None:
    proxy.blackhole()


def refused(proxy: ChaosProxy) -> None:
    proxy.refuse()
    proxy.reset()


@pytest.mark.parametrize("harm", [stalled, reset, truncated, half_opened, swallowed, refused])
async def test_who_loses_the_network_ends_with_what_was_committed(
    project: SecondProject,
    proxy: ChaosProxy,
    stream: str,
    session: str,
    harm: Callable[[ChaosProxy], None],
) -> None:
    origin = f"http://127.0.0.1:{proxy.port}"
    behind = [Follower(proxy.port, stream, session=session, origin=origin) for _ in range(3)]
    beside = Follower(proxy.target, stream, session=session)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        written = group.create_task(_write_until(over, project, stream))
        for follower in (*behind, beside):
            group.create_task(follower.follow_until_told(written))
        for _ in range(2):
            await _until_more(behind)
            harm(proxy)
            await _until_more([beside])
            proxy.recover()
        over.set()
    for follower in (*behind, beside):
        assert follower.numbers() == list(range(1, written.result() + 1))
    # The harm was done, and to those behind the proxy alone.
    assert min(follower.connections for follower in behind) >= (1 if harm is stalled else 2)
    assert beside.connections == 1


async def test_the_heart_tells_how_far_each_stream_was_sent(
    project: SecondProject, beating_port: int, stream: str, session: str
) -> None:
    async with open_socket(beating_port, session) as ann:
        await ann.subscribe("user:me")
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 3)
        await ann.numbers_until(stream, 3)
        beat = await ann.hear("heartbeat")
        assert beat == {"type": "heartbeat", "streams": {"user:me": 0, stream: 3}}


async def _write_until(over: asyncio.Event, project: SecondProject, stream: str) -> int:
    """Writes 40 events a second, about; how many it were."""
    count = 0
    while not over.is_set():
        await asyncio.to_thread(project.write, "append", stream, count + 1, 2)
        count += 2
        await asyncio.sleep(0.05)
    return count


async def _until_more(followers: list[Follower]) -> None:
    seen = [follower.seq for follower in followers]
    async with asyncio.timeout(10):
        while any(f.seq < before + 10 for f, before in zip(followers, seen, strict=True)):  # noqa: ASYNC110 - each follower has its own pace
            await asyncio.sleep(0.02)
