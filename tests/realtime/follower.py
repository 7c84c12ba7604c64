"""A client that reconnects after every failure and resumes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.realtime.client import Client, open_socket

_AFTER_FAILURE_SECONDS = 0.05
_DISCONNECTED = (OSError, TimeoutError, WebSocketException, InvalidHandshake, EOFError)


class Follower:
    """Follows one stream from its beginning. A gap or a duplicate is an error."""

    def __init__(
        self,
        port: int,
        stream: str,
        *,
        silence: float = 2.5,
        handshake: float = 3,
        **credential: Any,
    ) -> None:
        """Prepare. After ``silence`` seconds without a frame the connection counts as dead."""
        self.port, self.stream, self.credential = port, stream, credential
        self.silence, self.handshake = silence, handshake
        self.events: list[dict[str, Any]] = []
        self.seq, self.epoch = 0, None
        self.connections = 0

    async def follow_until(self, last: int, seconds: float) -> None:
        """Follow until the event with the number ``last`` has arrived."""
        async with asyncio.timeout(seconds):
            while self.seq < last:
                try:
                    await self._follow(last)
                except _DISCONNECTED:
                    await asyncio.sleep(_AFTER_FAILURE_SECONDS)

    async def follow_until_told(self, ends: asyncio.Task[int]) -> None:
        """Follow until ``ends`` returns the last ``seq``, and that event has arrived."""
        endless = asyncio.create_task(self.follow_until(2**62, 2**30))
        await asyncio.wait({endless, ends}, return_when=asyncio.FIRST_COMPLETED)
        if endless.done():
            return endless.result()
        endless.cancel()
        with suppress(asyncio.CancelledError):
            await endless
        return await self.follow_until(ends.result(), 60)

    async def _follow(self, last: int) -> None:
        async with asyncio.timeout(self.handshake):
            opening = open_socket(self.port, **self.credential)
            client = await opening.__aenter__()
        self.connections += 1
        try:
            await self._read(client, last)
        finally:
            # Skip the closing handshake, which takes long with a dead peer.
            client.connection.transport.abort()

    async def _read(self, client: Client, last: int) -> None:
        answer = await client.subscribe(self.stream, since=self.seq, epoch=self.epoch)
        assert answer["type"] == "subscribed", answer
        self.epoch = answer["epoch"]
        while self.seq < last:
            frame = await client.hear(seconds=self.silence)
            if frame["type"] == "events":
                self.events.extend(frame["events"])
                self.seq = frame["to"]
                await client.say(type="ack", stream=self.stream, seq=self.seq)

    def numbers(self) -> list[int]:
        return [event["data"]["n"] for event in self.events]
