"""An independent client on the ``websockets`` library, which records all events."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State


class Client:
    """Checks each frame on arrival: a gap or a duplicate is an error."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.positions: dict[str, int] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}

    async def say(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def hear(self, *types: str, seconds: float = 30) -> dict[str, Any]:
        """Return the next frame of these types, or of any type; record the events before it."""
        async with asyncio.timeout(seconds):
            while True:
                frame: dict[str, Any] = json.loads(await self.connection.recv())
                self._record(frame)
                if not types or frame["type"] in types:
                    return frame

    def _record(self, frame: dict[str, Any]) -> None:
        stream = frame.get("stream", "")
        if frame["type"] == "events":
            assert frame["from"] == self.positions[stream] + 1
            assert [event["seq"] for event in frame["events"]] == list(
                range(frame["from"], frame["to"] + 1)
            )
            self.positions[stream] = frame["to"]
            self.events.setdefault(stream, []).extend(frame["events"])
        elif frame["type"] == "reset":
            self.positions[stream] = frame["seq"]
        elif frame["type"] == "subscribed":
            self.positions.setdefault(stream, frame["seq"])

    async def subscribe(
        self, stream: str, since: int | None = None, epoch: str | None = None
    ) -> dict[str, Any]:
        position = {"since": since, "epoch": epoch}
        if since is not None:
            self.positions[stream] = since
        await self.say(
            type="subscribe",
            stream=stream,
            **{name: value for name, value in position.items() if value is not None},
        )
        return await self.hear("subscribed", "reset", "error")

    async def numbers_until(self, stream: str, last: int, seconds: float = 30) -> list[int]:
        """Return the numbers of all events when the event with number ``last`` has arrived."""
        async with asyncio.timeout(seconds):
            while not (got := self.numbers(stream)) or got[-1] != last:
                await self.hear("events", seconds=seconds)
        return got

    def numbers(self, stream: str) -> list[int]:
        return [event["data"]["n"] for event in self.events.get(stream, [])]

    async def first(self, seconds: float = 30) -> str | int | None:
        """Return the type of the first frame, or the close code if the server closes first."""
        try:
            return str((await self.hear(seconds=seconds))["type"])
        except ConnectionClosed:
            return self.connection.close_code

    @property
    def is_open(self) -> bool:
        return self.connection.state is State.OPEN

    async def close_code(self, seconds: float = 30) -> int | None:
        """Read until the server closes; return the close code."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._record(json.loads(await self.connection.recv()))
        except ConnectionClosed:
            return self.connection.close_code


@asynccontextmanager
async def open_socket(
    port: int,
    session: str | None = None,
    *,
    origin: str | None = "own",
    subprotocols: list[str] | None = None,
    headers: dict[str, str] | None = None,
    path: str = "/ws/v1/",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Client]:
    cookie = {"Cookie": f"sessionid={session}"} if session else {}
    address, secure = f"127.0.0.1:{port}", "s" if tls else ""
    async with connect(
        f"ws{secure}://{address}{path}",
        ssl=tls,
        origin=f"http{secure}://{address}" if origin == "own" else origin,  # type: ignore[arg-type]  # the library's own str subtype
        subprotocols=subprotocols or ["koinonia.v1"],  # type: ignore[arg-type]  # the same
        additional_headers={**cookie, **(headers or {})},
        compression=None,
        ping_interval=None,  # browsers send no pings
        max_size=None,
        proxy=None,
    ) as connection:
        yield Client(connection)
