"""Many who come without a good credential: they are slowed down, and nobody else is."""

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
"""Times, from one address (second_project/clubs.py)."""


def from_address(address: str, cookie: str = "sessionid=worthless") -> dict[str, Any]:
    return {"headers": {"Cookie": cookie, "X-Real-IP": address}}


@pytest.fixture
def address() -> str:
    return uuid.uuid4().hex


async def test_failing_handshakes_are_counted_by_address_and_good_ones_come_in(
    port: int, address: str, session: str
) -> None:
    async def code() -> int | None:
        async with open_socket(port, **from_address(address)) as nobody:
            return await nobody.close_code()

    assert [await code() for _ in range(MAY_FAIL + 3)] == [4401] * MAY_FAIL + [4429] * 3
    async with open_socket(port, **from_address(address, f"sessionid={session}")) as ann:
        assert await ann.first() == "welcome"
    async with open_socket(port, **from_address("elsewhere")) as nobody:
        assert await nobody.close_code() == 4401


async def test_a_foreign_page_counts_against_its_address(
    port: int, address: str, session: str
) -> None:
    async def code() -> int | None:
        given = from_address(address, f"sessionid={session}")
        async with open_socket(port, origin="https://evil.example", **given) as page:
            return await page.close_code()

    assert [await code() for _ in range(MAY_FAIL + 1)] == [4403] * MAY_FAIL + [4429]


async def test_nobody_waits_behind_a_flood(
    project: SecondProject, port: int, address: str, stream: str, session: str
) -> None:
    codes: Counter[int | None] = Counter()

    async def knock() -> None:
        async with open_socket(port, **from_address(address)) as nobody:
            codes[await nobody.close_code(60)] += 1

    async with open_socket(port, session) as ann, asyncio.TaskGroup() as flood:
        await ann.subscribe(stream)
        for _ in range(200):
            flood.create_task(knock())
        await asyncio.to_thread(project.write, "append", stream, 1, 20)
        await ann.numbers_until(stream, 20)
        async with open_socket(port, session) as bob:
            assert (await bob.subscribe(stream, since=0))["type"] == "subscribed"
            await bob.numbers_until(stream, 20)
    assert codes.total() == 200
    assert codes[4401] <= MAY_FAIL
    assert set(codes) <= {4401, 4429}


@override_settings(REALTIME={"SOCKETS_PER_ADDRESS": 3})
async def test_only_an_address_that_failed_too_often_has_a_bound() -> None:
    queue = HandshakeQueue()
    free = asyncio.Event()

    async def arrive() -> None:
        async with queue.slot("office"):
            await free.wait()

    office = [asyncio.create_task(arrive()) for _ in range(50)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*office)

    with pytest.raises(FloodError):
        async with queue.slot("office"):
            raise FloodError
    free.clear()
    office = [asyncio.create_task(arrive()) for _ in range(4)]
    await asyncio.sleep(0)
    free.set()
    told = await asyncio.gather(*office, return_exceptions=True)
    assert [type(answer) for answer in told] == [type(None)] * 3 + [RefusedError]


async def test_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.handshake_queue._THROTTLE_SECONDS", 0)
    queue = HandshakeQueue()
    async with queue.slot("office"):
        assert len(queue._addresses) == 1
    assert queue._addresses == {}
    with pytest.raises(FloodError):
        async with queue.slot("office"):
            raise FloodError
    async with asyncio.timeout(5):
        while queue._addresses:  # noqa: ASYNC110 - a timer says when
            await asyncio.sleep(0)


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"headers": headers, "client": ("10.0.0.9", 1), "server": ("127.0.0.1", 80)}


def test_a_header_with_an_underscore_does_not_pass_for_the_proxys() -> None:
    forged = scope((b"x_forwarded_for", b"1.2.3.4"), (b"x-forwarded-for", b"5.6.7.8"))
    assert request_of(forged).META["HTTP_X_FORWARDED_FOR"] == "5.6.7.8"
    assert request_of(forged).META["REMOTE_ADDR"] == "10.0.0.9"


def test_a_header_that_comes_twice_is_read_as_both() -> None:
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
