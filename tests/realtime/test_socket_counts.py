"""The limit of sockets per user across web processes; killed processes stop counting soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from realtime import socket_counts
from realtime.models import WebProcess
from realtime.socket_counts import SocketCounts, excess
from tests.realtime.client import Client, open_socket
from tests.realtime.second_project.processes import SecondProject, Server

LIMIT = 4


@pytest.fixture(scope="module")
def limited(project: SecondProject) -> Iterator[SecondProject]:
    """Return the project with a small limit of sockets per user."""
    limited = project.beside(PROJECT_SOCKETS=str(LIMIT), PROJECT_COUNT="0.2")
    yield limited
    limited.close_servers()


@pytest.fixture(params=["daphne", "uvicorn"])
def ports(limited: SecondProject, request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    server: Server = request.param
    yield limited.serve(server), limited.serve(server)
    limited.close_servers()


@asynccontextmanager
async def sockets(port: int, session: str, count: int) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_socket(port, session)) for _ in range(count)]
        for one in opened:
            await one.hear("welcome")
        yield opened


async def _is_admitted(port: int, session: str) -> bool:
    async with open_socket(port, session) as one:
        answer = await one.first()
        assert answer in ("welcome", 4429)
        return answer == "welcome"


async def _until(port: int, session: str, admitted: bool, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while await _is_admitted(port, session) is not admitted:  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.1)


async def test_the_sockets_of_two_processes_count_together(
    ports: tuple[int, int], session: str
) -> None:
    here, there = ports
    async with AsyncExitStack() as stack:
        held: dict[int, list[Client]] = {here: [], there: []}
        async with asyncio.timeout(60):
            for port in ports:
                # Before the processes exchange their counts, one socket too many may be admitted and
                # another one closed.
                while not await _is_full(port, held, stack, session):  # noqa: ASYNC110 - another process decides
                    await asyncio.sleep(0.1)
    for port in ports:
        await _until(port, session, admitted=True)


async def _is_full(
    port: int, held: dict[int, list[Client]], stack: AsyncExitStack, session: str
) -> bool:
    return await _are_distributed(held, stack, session) and not await _is_admitted(port, session)


async def _are_distributed(
    held: dict[int, list[Client]], stack: AsyncExitStack, session: str
) -> bool:
    """Open one socket in the second process and all others in the first; return the success."""
    for (port, opened), count in zip(held.items(), (LIMIT - 1, 1), strict=True):
        opened[:] = [one for one in opened if one.is_open]
        while len(opened) < count:
            one = await stack.enter_async_context(open_socket(port, session))
            if await one.first() != "welcome":
                return False
            opened.append(one)
    return True


async def test_the_limit_holds_when_sockets_race_to_two_processes(
    ports: tuple[int, int], session: str
) -> None:
    async def code(port: int) -> int | None:
        async with open_socket(port, session) as one:
            return await one.close_code(300)

    codes = [asyncio.create_task(code(port)) for port in ports * LIMIT]
    async with asyncio.timeout(60):
        while sum(one.done() for one in codes) < LIMIT:  # noqa: ASYNC110 - the servers decide
            await asyncio.sleep(0.1)
    # After the next exchange of counts, no other socket is closed.
    ended, still_open = await asyncio.wait(codes, timeout=3)
    assert [one.result() for one in ended] == [4429] * LIMIT
    for one in still_open:
        one.cancel()
    await asyncio.gather(*still_open, return_exceptions=True)


async def test_the_sockets_of_a_killed_process_stop_counting_soon(
    limited: SecondProject, ports: tuple[int, int], session: str
) -> None:
    killed, left = ports
    async with sockets(killed, session, LIMIT):
        await _until(left, session, admitted=False)
        limited.kill(killed)
    await _until(left, session, admitted=True, seconds=socket_counts.DEAD_AFTER_SECONDS + 30)


@pytest.mark.parametrize(
    ("counts", "closed"),
    [
        ({"a": 20}, [0]),
        ({"a": 21}, [1]),
        ({"a": 15, "b": 15}, [0, 10]),
        ({"a": 20, "b": 3, "c": 2}, [0, 3, 2]),
        ({"a": 25, "b": 3}, [5, 3]),
        ({"a": 1, "b": 30}, [0, 11]),
    ],
)
def test_all_processes_agree_on_the_sockets_to_close(
    counts: dict[str, int], closed: list[int]
) -> None:
    assert [excess(name, counts, limit=20) for name in counts] == closed


@pytest.mark.django_db
def test_a_process_that_writes_no_counts_stops_counting() -> None:
    now = timezone.now()
    SocketCounts("other").exchange({7: 3}, now)
    mine = SocketCounts("mine")
    mine.exchange({7: 1}, now)
    assert mine.elsewhere(7) == 3
    mine.exchange({7: 1}, now + timedelta(seconds=socket_counts.DEAD_AFTER_SECONDS + 1))
    assert mine.elsewhere(7) == 0
    mine.exchange({7: 1}, now + timedelta(days=1))
    assert [row.name for row in WebProcess.objects.all()] == ["mine"]


@pytest.mark.django_db
def test_unchanged_counts_are_written_seldom() -> None:
    now = timezone.now()
    mine = SocketCounts("mine")
    for seconds in range(int(socket_counts.RENEW_SECONDS)):
        mine.exchange({7: 1}, now + timedelta(seconds=seconds))
        assert WebProcess.objects.get().seen_at == now
    later = now + timedelta(seconds=socket_counts.RENEW_SECONDS)
    mine.exchange({7: 1}, later)
    assert WebProcess.objects.get().seen_at == later
    mine.exchange({}, later)
    assert not WebProcess.objects.exists()
