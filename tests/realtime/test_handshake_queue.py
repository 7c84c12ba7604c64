"""A flood of failed handshakes slows down only its own address."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest
from django.test import override_settings

from realtime.handshake import is_own_origin, request_of
from realtime.handshake_queue import HandshakeQueue
from realtime.protocol import FloodError, RefusedError
from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject

MAY_FAIL = 10
"""Failures of one address (second_project/clubs.py)."""


def from_address(address: str, cookie: str = "sessionid=invalid") -> dict[str, Any]:
    return {"headers": {"Cookie": cookie, "X-Real-IP": address}}


@pytest.fixture
def address() -> str:
    return uuid.uuid4().hex


async def test_failed_handshakes_count_by_address_and_valid_ones_are_admitted(
    port: int, address: str, session: str
) -> None:
    async def code() -> int | None:
        async with open_socket(port, **from_address(address)) as stranger:
            return await stranger.close_code()

    assert [await code() for _ in range(MAY_FAIL + 3)] == [4401] * MAY_FAIL + [4429] * 3
    async with open_socket(port, **from_address(address, f"sessionid={session}")) as ann:
        assert await ann.first() == "welcome"
    async with open_socket(port, **from_address("elsewhere")) as stranger:
        assert await stranger.close_code() == 4401


async def test_a_foreign_origin_counts_against_its_address(
    port: int, address: str, session: str
) -> None:
    async def code() -> int | None:
        given = from_address(address, f"sessionid={session}")
        async with open_socket(port, origin="https://evil.example", **given) as page:
            return await page.close_code()

    assert [await code() for _ in range(MAY_FAIL + 1)] == [4403] * MAY_FAIL + [4429]


async def test_a_flood_does_not_starve_another_address(
    project: SecondProject, port: int, address: str, stream: str, session: str
) -> None:
    codes: Counter[int | None] = Counter()

    async def fail() -> None:
        async with open_socket(port, **from_address(address)) as stranger:
            codes[await stranger.close_code(60)] += 1

    async with open_socket(port, session) as ann, asyncio.TaskGroup() as flood:
        await ann.subscribe(stream)
        for _ in range(200):
            flood.create_task(fail())
        await asyncio.to_thread(project.write, "append", stream, 1, 20)
        await ann.numbers_until(stream, 20)
        async with open_socket(port, session) as bob:
            assert (await bob.subscribe(stream, since=0))["type"] == "subscribed"
            await bob.numbers_until(stream, 20)
    assert codes.total() == 200
    assert codes[4401] <= MAY_FAIL
    assert set(codes) <= {4401, 4429}


@override_settings(REALTIME={"SOCKETS_PER_ADDRESS": 3})
async def test_only_a_throttled_address_has_a_bounded_queue() -> None:
    queue = HandshakeQueue()
    free = asyncio.Event()

    async def handshake() -> None:
        async with queue.slot("office"):
            await free.wait()

    office = [asyncio.create_task(handshake()) for _ in range(50)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*office)

    with pytest.raises(FloodError):
        async with queue.slot("office"):
            raise FloodError
    free.clear()
    office = [asyncio.create_task(handshake()) for _ in range(4)]
    await asyncio.sleep(0)
    free.set()
    results = await asyncio.gather(*office, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [RefusedError]


async def test_idle_addresses_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.handshake_queue._THROTTLE_SECONDS", 0)
    queue = HandshakeQueue()
    async with queue.slot("office"):
        assert len(queue._addresses) == 1
    assert queue._addresses == {}
    with pytest.raises(FloodError):
        async with queue.slot("office"):
            raise FloodError
    async with asyncio.timeout(20):
        while queue._addresses:  # noqa: ASYNC110 - a timer removes them
            await asyncio.sleep(0)


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"headers": headers, "client": ("10.0.0.9", 1), "server": ("127.0.0.1", 80)}


def test_a_header_with_an_underscore_cannot_spoof_a_proxys_header() -> None:
    forged = scope((b"x_forwarded_for", b"1.2.3.4"), (b"x-forwarded-for", b"5.6.7.8"))
    assert request_of(forged).META["HTTP_X_FORWARDED_FOR"] == "5.6.7.8"
    assert request_of(forged).META["REMOTE_ADDR"] == "10.0.0.9"


def test_a_repeated_header_is_joined() -> None:
    twice = scope((b"x-forwarded-for", b"1.2.3.4"), (b"X-Forwarded-For", b"5.6.7.8"))
    assert request_of(twice).META["HTTP_X_FORWARDED_FOR"] == "1.2.3.4,5.6.7.8"
    origins = [
        (b"host", b"localhost"),
        (b"origin", b"https://evil"),
        (b"origin", b"http://localhost"),
    ]
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        assert is_own_origin(scope(origins[0], origins[2]))
        assert not is_own_origin(scope(*origins))
