"""``realtime.uvicorn`` frames a text once and pauses reading late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from realtime.uvicorn import PatientProtocol

MESSAGES = [str(number) for number in range(50)]


class Reader:
    """An application that reads its messages after ``may_read`` is set."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.read: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await self.may_read.wait()
        while (message := await receive())["type"] == "websocket.receive":
            self.read.append(message["text"])


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the protocol sends no event
            await asyncio.sleep(0)


TEXTS = ["", "Grace", "ö" * 70_000, *(f"{number}" * 80_000 for number in range(100)), "Amen"]


async def sends_texts(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for text in TEXTS:
        await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.send", "bytes": b"bytes"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[tuple[PatientProtocol, str]]:
    """Serve one socket; yield its protocol and its address."""
    config = Config(application, lifespan="off")
    config.load()
    protocol = PatientProtocol(config=config, server_state=ServerState(), app_state={})
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    async with server:
        yield protocol, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_texts_arrive_unchanged_with_a_slow_reader_and_with_compression(
    compression: str | None,
) -> None:
    async with (
        serving(sends_texts) as (protocol, address),
        connect(address, proxy=None, compression=compression, max_queue=1) as socket,
    ):
        if compression is None:
            # The reader has not started, so the buffer fills up.
            await until(lambda: not protocol.writable.is_set())
        heard = [await socket.recv() for _ in range(len(TEXTS) + 1)]
    assert heard == [*TEXTS, b"bytes"]


async def test_a_send_to_a_disconnected_client_raises() -> None:
    finished = asyncio.Event()
    errors: list[BaseException] = []

    async def sends_late(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            errors.append(error)
        finished.set()

    async with serving(sends_late) as (_, address):
        async with connect(address, proxy=None):
            pass
        await finished.wait()
    assert [type(error) for error in errors] == [ClientDisconnected]


async def test_the_protocol_pauses_reading_while_messages_wait_and_loses_none() -> None:
    reader = Reader()
    async with (
        serving(reader) as (protocol, address),
        connect(address, proxy=None) as socket,
    ):
        await socket.send(MESSAGES[0])
        await until(lambda: protocol.queue.qsize() == 1)
        assert protocol.transport.is_reading()
        for message in MESSAGES[1:]:
            await socket.send(message)
        await until(lambda: not protocol.transport.is_reading())
        reader.may_read.set()
        await until(lambda: reader.read == MESSAGES)
        assert protocol.transport.is_reading()


async def test_after_its_own_close_the_server_reads_until_the_close_of_the_client() -> None:
    reads_on: list[bool] = []

    async def closes_unread(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await until(lambda: protocol.queue.qsize() >= 4)
        await send({"type": "websocket.close", "code": 4401})
        reads_on.append(protocol.transport.is_reading())

    async with (
        serving(closes_unread) as (protocol, address),
        connect(address, proxy=None) as socket,
    ):
        for message in MESSAGES:
            await socket.send(message)
        await socket.wait_closed()
    assert (socket.close_code, reads_on) == (4401, [True])
