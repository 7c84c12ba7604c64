"""At most so many sockets of one user, counted over all web processes, the dead ones not for long."""

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

MOST = 4


@pytest.fixture(scope="module")
def small(project: SecondProject) -> Iterator[SecondProject]:
    """The project, where a user may have only a few sockets."""
    small = project.beside(PROJECT_SOCKETS=str(MOST), PROJECT_COUNT="0.2")
    yield small
    small.close_servers()


@pytest.fixture(params=["daphne", "uvicorn"])
def ports(small: SecondProject, request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    server: Server = request.param
    yield small.serve(server), small.serve(server)
    small.close_servers()


@asynccontextmanager
async def sockets(port: int, session: str, count: int) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_socket(port, session)) for _ in range(count)]
        for one in opened:
            await one.hear("welcome")
        yield opened


async def _comes_in(port: int, session: str) -> bool:
    async with open_socket(port, session) as one:
        answer = await one.first()
        assert answer in ("welcome", 4429)
        return answer == "welcome"


async def _until(port: int, session: str, comes_in: bool, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while await _comes_in(port, session) is not comes_in:  # noqa: ASYNC110 - another process says when
            await asyncio.sleep(0.1)


async def test_the_sockets_of_two_processes_are_counted_together(
    ports: tuple[int, int], session: str
) -> None:
    here, there = ports
    async with AsyncExitStack() as stack:
        held: dict[int, list[Client]] = {here: [], there: []}
        async with asyncio.timeout(20):
            for port in ports:
                # While the processes do not know of each other, one more may come in, and cost
                # another its place.
                while not await _are_full(held, stack, session) or await _comes_in(port, session):  # noqa: ASYNC110 - another process says when
                    await asyncio.sleep(0.1)
    for port in ports:
        await _until(port, session, comes_in=True)


async def _are_full(held: dict[int, list[Client]], stack: AsyncExitStack, session: str) -> bool:
    """Whether all but one of the sockets are in the first process, and one is in the second."""
    for (port, opened), count in zip(held.items(), (MOST - 1, 1), strict=True):
        opened[:] = [one for one in opened if one.is_open]
        while len(opened) < count:
            one = await stack.enter_async_context(open_socket(port, session))
            if await one.first() != "welcome":
                return False
            opened.append(one)
    return True


async def test_of_those_that_come_to_two_processes_at_once_just_so_many_stay(
    ports: tuple[int, int], session: str
) -> None:
    async def lasts(port: int) -> int | None:
        async with open_socket(port, session) as one:
            return await one.lasts(3)

    codes = await asyncio.gather(*(lasts(port) for port in ports * MOST))
    assert sorted(codes, key=str) == [4429] * MOST + [None] * MOST


async def test_a_killed_process_does_not_keep_its_users_out_for_long(
    small: SecondProject, ports: tuple[int, int], session: str
) -> None:
    killed, left = ports
    async with sockets(killed, session, MOST):
        await _until(left, session, comes_in=False)
        small.kill(killed)
    await _until(left, session, comes_in=True, seconds=socket_counts.DEAD_AFTER_SECONDS + 5)


@pytest.mark.parametrize(
    ("counts", "gone"),
    [
        ({"a": 20}, [0]),
        ({"a": 21}, [1]),
        ({"a": 15, "b": 15}, [0, 10]),
        ({"a": 20, "b": 3, "c": 2}, [0, 3, 2]),
        ({"a": 25, "b": 3}, [5, 3]),
        ({"a": 1, "b": 30}, [0, 11]),
    ],
)
def test_every_process_finds_the_same_ones_too_many(
    counts: dict[str, int], gone: list[int]
) -> None:
    assert [excess(name, counts, limit=20) for name in counts] == gone


@pytest.mark.django_db
def test_a_process_that_has_not_been_seen_for_a_while_counts_no_more() -> None:
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
def test_what_has_not_changed_is_written_seldom() -> None:
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
