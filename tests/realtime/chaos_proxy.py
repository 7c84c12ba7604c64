"""A proxy between a client and its server that injects network failures."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self

_CHUNK = 16 * 1024


class ChaosProxy:
    """``with ChaosProxy(port) as proxy: connect(proxy.port)``. The proxy runs in its own thread.

    A failure hits the connections that are open at the time. Only ``stall`` and ``refuse`` last,
    until ``recover``.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos-proxy")
        self._wires: set[_Wire] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._closing = False

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # Failures

    def stall(self) -> None:
        """Stop forwarding without closing any connection."""
        self._do(self._flowing.clear)

    def refuse(self) -> None:
        """Close new connections at once."""
        self._do(lambda: setattr(self, "_refusing", True))

    def recover(self) -> None:
        self._do(lambda: setattr(self, "_refusing", False))
        self._do(self._flowing.set)

    def reset(self) -> None:
        """Send a RST to both ends."""
        self._each(lambda wire: wire.reset())

    def truncate(self, after: int) -> None:
        """Close both ends in the middle of a frame, after ``after`` more bytes."""
        self._each(lambda wire: wire.end_after(after))

    def half_open(self) -> None:
        """Close the server's end only; the client keeps a silent connection."""
        self._each(lambda wire: wire.lose_server())

    def blackhole(self) -> None:
        """Drop all bytes and keep both ends open, like a router that lost its table."""
        self._each(lambda wire: wire.swallow())

    # Implementation

    def _do(self, act: Callable[[], Any]) -> None:
        done: Future[None] = Future()

        def call() -> None:
            act()
            done.set_result(None)

        self._loop.call_soon_threadsafe(call)
        done.result(5)

    def _each(self, act: Callable[[_Wire], None]) -> None:
        def act_on_all() -> None:
            for wire in tuple(self._wires):
                act(wire)

        self._do(act_on_all)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        if self._closing:
            for end in (writer, server[1]):
                end.transport.abort()
            return
        wire = _Wire((reader, writer), server, self._flowing)
        self._wires.add(wire)
        try:
            await wire.carry()
        finally:
            self._wires.discard(wire)

    async def _close(self) -> None:
        self._server.close()
        self._closing = True
        self._flowing.set()
        for wire in tuple(self._wires):
            wire.reset()
        await asyncio.wait_for(self._server.wait_closed(), 5)
        # The last accepted connections become tasks in the next turns of the event loop.
        for _ in range(3):
            await asyncio.sleep(0)
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=5)


End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Wire:
    """A connection that forwards bytes both ways."""

    def __init__(self, client: End, server: End, flowing: asyncio.Event) -> None:
        self.client, self.server = client, server
        self._flowing = flowing
        self._left: int | None = None
        self._swallowing = False
        self._server_lost = False

    async def carry(self) -> None:
        up = asyncio.create_task(self._pass(self.client[0], self.server[1], counted=False))
        down = asyncio.create_task(self._pass(self.server[0], self.client[1], counted=True))
        try:
            await asyncio.gather(up, down)
        finally:
            up.cancel()
            down.cancel()
            for _, writer in (self.client, self.server):
                writer.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        try:
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                if self._swallowing or self._server_lost:
                    continue
                if counted and self._left is not None:
                    data, self._left = data[: self._left], max(0, self._left - len(data))
                writer.write(data)
                await writer.drain()
                if self._left == 0:
                    return self._close_both()
        except OSError:
            return self.reset()
        if not self._swallowing and not self._server_lost:
            self._close_both()
        return None

    def _close_both(self) -> None:
        self.client[1].close()
        self.server[1].close()

    def reset(self) -> None:
        for _, writer in (self.client, self.server):
            held: socket.socket = writer.get_extra_info("socket")
            if held.fileno() >= 0:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def end_after(self, count: int) -> None:
        self._left = count

    def lose_server(self) -> None:
        self._server_lost = True
        self.server[1].close()

    def swallow(self) -> None:
        self._swallowing = True
