"""The network fails while events are written: every client ends with exactly the committed events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.realtime.chaos_proxy import ChaosProxy
from tests.realtime.client import open_socket
from tests.realtime.follower import Follower
from tests.realtime.second_project.processes import SecondProject


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def heartbeat_port(project: SecondProject, request: pytest.FixtureRequest) -> Iterator[int]:
    """Run a server with frequent heartbeats, so that clients detect a dead connection fast."""
    frequent = project.beside(PROJECT_HEARTBEAT="1")
    yield frequent.serve(request.param)
    frequent.close_servers()


@pytest.fixture
def proxy(heartbeat_port: int) -> Iterator[ChaosProxy]:
    with ChaosProxy(heartbeat_port) as proxy:
        yield proxy


def stalled(proxy: ChaosProxy) -> None:
    proxy.stall()


def reset(proxy: ChaosProxy) -> None:
    proxy.reset()


def truncated(proxy: ChaosProxy) -> None:
    proxy.truncate(after=37)


def half_opened(proxy: ChaosProxy) -> None:
    proxy.half_open()


def blackholed(proxy: ChaosProxy) -> None:
    proxy.blackhole()


def refused(proxy: ChaosProxy) -> None:
    proxy.refuse()
    proxy.reset()


@pytest.mark.parametrize("failure", [stalled, reset, truncated, half_opened, blackholed, refused])
async def test_clients_behind_a_failing_network_get_all_committed_events(
    project: SecondProject,
    proxy: ChaosProxy,
    stream: str,
    session: str,
    failure: Callable[[ChaosProxy], None],
) -> None:
    origin = f"http://127.0.0.1:{proxy.port}"
    behind = [Follower(proxy.port, stream, session=session, origin=origin) for _ in range(3)]
    beside = Follower(proxy.target, stream, session=session)
    finished = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        written = group.create_task(_write_until(finished, project, stream))
        for follower in (*behind, beside):
            group.create_task(follower.follow_until_told(written))
        for _ in range(2):
            await _wait_for_more(behind)
            failure(proxy)
            await _wait_for_more([beside])
            proxy.recover()
        finished.set()
    for follower in (*behind, beside):
        assert follower.numbers() == list(range(1, written.result() + 1))
    # The failures hit only the clients behind the proxy.
    assert min(follower.connections for follower in behind) >= (1 if failure is stalled else 2)
    assert beside.connections == 1


async def test_a_heartbeat_names_the_last_sent_event_of_each_stream(
    project: SecondProject, heartbeat_port: int, stream: str, session: str
) -> None:
    async with open_socket(heartbeat_port, session) as ann:
        await ann.subscribe("user:me")
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 3)
        await ann.numbers_until(stream, 3)
        heartbeat = await ann.hear("heartbeat")
        assert heartbeat == {"type": "heartbeat", "streams": {"user:me": 0, stream: 3}}


async def _write_until(finished: asyncio.Event, project: SecondProject, stream: str) -> int:
    """Write about 40 events a second until ``finished``; return their number."""
    count = 0
    while not finished.is_set():
        await asyncio.to_thread(project.write, "append", stream, count + 1, 2)
        count += 2
        await asyncio.sleep(0.05)
    return count


async def _wait_for_more(followers: list[Follower]) -> None:
    seen = [follower.seq for follower in followers]
    async with asyncio.timeout(30):
        while any(f.seq < before + 10 for f, before in zip(followers, seen, strict=True)):  # noqa: ASYNC110 - followers send no event
            await asyncio.sleep(0.02)
