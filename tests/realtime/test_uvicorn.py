"""What ``realtime.uvicorn`` does beyond uvicorn: it reads on, and stops where too much waits."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from realtime.uvicorn import PatientProtocol

MESSAGES = [str(number) for number in range(50)]


class Reader:
    """An application that takes its messages when it is told to."""

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
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what waits is read, not told
            await asyncio.sleep(0)


async def test_it_stops_reading_while_messages_wait_and_loses_none() -> None:
    reader = Reader()
    config = Config(reader, lifespan="off")
    config.load()
    state = ServerState()
    protocol = PatientProtocol(config=config, server_state=state, app_state={})
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, connect(address, proxy=None) as socket:
        await socket.send(MESSAGES[0])
        await until(lambda: protocol.queue.qsize() == 1)
        assert protocol.transport.is_reading()
        for message in MESSAGES[1:]:
            await socket.send(message)
        await until(lambda: not protocol.transport.is_reading())
        reader.may_read.set()
        await until(lambda: reader.read == MESSAGES)
        assert protocol.transport.is_reading()
