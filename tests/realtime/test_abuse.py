"""Malicious and broken clients get an error or a close, and do not disturb other clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject

MEGABYTE = 1024 * 1024


@asynccontextmanager
async def well_behaved_client(
    project: SecondProject, port: int, stream: str, session: str
) -> AsyncIterator[None]:
    """Keep a client connected, and check that it gets the events written afterwards."""
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream)
        yield
        await asyncio.to_thread(project.write, "append", stream, 1, 20)
        assert await ann.numbers_until(stream, 20) == list(range(1, 21))


@pytest.mark.parametrize("size", [MEGABYTE - 100, MEGABYTE + 1, 4 * MEGABYTE])
@pytest.mark.parametrize("binary", [False, True])
async def test_a_huge_frame_gets_an_error_or_closes_its_socket(
    project: SecondProject, port: int, stream: str, session: str, size: int, binary: bool
) -> None:
    text = json.dumps({"type": "ping", "pad": "x" * size})
    async with (
        well_behaved_client(project, port, stream, session),
        open_socket(port, session) as giant,
    ):
        await giant.hear("welcome")
        with suppress(ConnectionClosed):
            await giant.connection.send(text.encode() if binary else text)
        answer = await giant.first()
        # The application refuses frames over 64 KiB; the server refuses frames over 1 MiB unread.
        if size < MEGABYTE:
            assert answer == "error"
        else:
            assert answer in (1009, 1006)


@pytest.mark.parametrize("fragments", [10, 2000])
async def test_any_number_of_fragments_makes_one_frame(
    project: SecondProject, port: int, stream: str, session: str, fragments: int
) -> None:
    async with (
        well_behaved_client(project, port, stream, session),
        open_socket(port, session) as ann,
    ):
        whole = json.dumps({"type": "ping", "pad": "x" * fragments})
        step = -(-len(whole) // fragments)
        await ann.connection.send(whole[at : at + step] for at in range(0, len(whole), step))
        assert (await ann.hear("pong", "error"))["type"] == "pong"


async def test_the_server_limits_endless_fragments(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    async with (
        well_behaved_client(project, port, stream, session),
        open_socket(port, session) as endless,
    ):
        await endless.hear("welcome")
        with suppress(ConnectionClosed):
            await endless.connection.send("x" * 1000 for _ in range(5000))
        assert await endless.close_code() in (1009, 1006)


FLOODS: dict[str, Callable[[int], dict[str, object]]] = {
    "pings": lambda number: {"type": "ping"},
    "streams of other users": lambda number: {
        "type": "subscribe", "stream": f"club:unknown-{number % 50}"
    },
    "own stream": lambda number: {"type": "unsubscribe", "stream": "user:me"},
    "invalid frames": lambda number: {"type": number},
    "acks that settle nothing": lambda number: {"type": "ack", "stream": "user:me", "seq": number},
    "broken acks": lambda number: {"type": "ack", "stream": number, "seq": "x"},
}  # fmt: skip


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_frames_closes_its_socket_and_delays_no_other_client(
    project: SecondProject, port: int, stream: str, session: str, kind: str
) -> None:
    async with (
        well_behaved_client(project, port, stream, session),
        open_socket(port, session) as flooder,
    ):
        await flooder.hear("welcome")
        with suppress(ConnectionClosed):
            for number in range(500):
                await flooder.say(**FLOODS[kind](number))
        assert await flooder.close_code() == 4429


async def test_repeated_subscribes_make_one_subscription(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    await asyncio.to_thread(project.write, "append", stream, 1, 5)
    async with open_socket(port, session) as ann:
        for _ in range(40):
            await ann.say(type="subscribe", stream=stream)
        for _ in range(40):
            await ann.hear("subscribed")
        await asyncio.to_thread(project.write, "append", stream, 6, 5)
        # The test client raises an error for a duplicate.
        assert await ann.numbers_until(stream, 10) == [6, 7, 8, 9, 10]


async def test_a_page_may_subscribe_to_twenty_streams_twice(port: int, session: str) -> None:
    async with open_socket(port, session) as ann:
        for _ in range(2):
            for number in range(20):
                await ann.say(type="subscribe", stream=f"club:unknown-{number}")
            for _ in range(20):
                await ann.hear("error")
        await ann.say(type="ping")
        assert (await ann.hear("pong"))["type"] == "pong"


async def test_a_client_may_acknowledge_each_frame(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream)
        for number in range(1, 151):
            await asyncio.to_thread(project.write, "append", stream, number)
            frame = await ann.hear("events")
            await ann.say(type="ack", stream=stream, seq=frame["to"])
        await ann.say(type="ping")
        assert (await ann.hear("pong"))["type"] == "pong"


async def test_unfinished_handshakes_delay_no_other_client(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for number, (_, writer) in enumerate(slow):
        writer.write(
            b"GET /ws/v1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"[: 1 + number]
        )
    async with well_behaved_client(project, port, stream, session):
        for _, writer in slow:
            writer.write(b"X-Slow: ")
    for _, writer in slow:
        writer.close()


async def test_aborted_sockets_free_their_slots(
    project: SecondProject, port: int, stream: str, session: str
) -> None:
    """Check that sockets without a closing handshake stop counting against the user."""
    for _ in range(3):
        opened = [open_socket(port, session) for _ in range(20)]
        clients = [await one.__aenter__() for one in opened]
        for client in clients:
            client.connection.transport.abort()
        async with asyncio.timeout(30):
            while not await _is_admitted(port, session):  # noqa: ASYNC110 - the server sends no event for this
                await asyncio.sleep(0.05)


async def _is_admitted(port: int, session: str) -> bool:
    async with open_socket(port, session) as one:
        return await one.first() == "welcome"


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": 'sessionid="aaaaaaaaaaaa\\000"'},
        {"Cookie": 'sessionid="aaaaaaaaaaaa\\303\\050"'},
        {"Cookie": "; ;=;" * 500},
        {"Cookie": 'sessionid="\\'},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer token-\u00e9"},
        {"Authorization": "Bearer token-' OR 1=1 --"},
        {"Authorization": "Basic YW5uOng="},
        {"Sec-WebSocket-Protocol": "ticket."},
        {"Sec-WebSocket-Protocol": "ticket." + "x" * 5000},
        {"Host": "evil.example"},
    ],
    ids=lambda headers: repr(headers)[:40],
)
async def test_malformed_headers_are_no_credential(port: int, headers: dict[str, str]) -> None:
    try:
        async with open_socket(port, headers=headers) as stranger:
            assert await stranger.close_code() == 4401
    except (InvalidStatus, InvalidMessage):
        return  # the server refused the request as invalid HTTP


@pytest.mark.parametrize(
    "query", ["ticket=", "ticket=%00", "ticket=%ff", "ticket=a&ticket=b", "ticket=" + "x" * 4000]
)
async def test_an_invalid_ticket_is_refused(port: int, query: str) -> None:
    async with open_socket(port, origin=None, path=f"/ws/v1/?{query}") as stranger:
        assert await stranger.close_code() == 4401


async def test_an_expired_ticket_is_refused(project: SecondProject, port: int) -> None:
    project.write("member", f"late-{port}")
    ticket = project.write("expired_ticket", f"late-{port}")
    async with open_socket(port, origin=None, path=f"/ws/v1/?ticket={ticket}") as stranger:
        assert await stranger.close_code() == 4401


@pytest.mark.parametrize("change", ["disable", "change_password"])
async def test_a_ticket_of_a_changed_user_is_refused(
    project: SecondProject, port: int, change: str
) -> None:
    user = f"{change}-{port}"
    project.write("member", user)
    ticket = project.write("ticket", user)
    project.write(change, user)
    async with open_socket(port, origin=None, path=f"/ws/v1/?ticket={ticket}") as stranger:
        assert await stranger.close_code() == 4401


async def test_the_cookie_of_an_ended_session_is_refused(project: SecondProject, port: int) -> None:
    session = project.write("member", f"gone-{port}")
    project.write("log_out", session)
    async with open_socket(port, session) as stranger:
        assert await stranger.close_code() == 4401
