"""Many listeners in one process, on bare sockets, so that they cost less than the measured server.

``python realtime_crowd.py PORT STREAM`` reads lines of JSON. ``["grow", [session, …]]`` connects one more
socket for each session (``""``: without a session, for a contender without sessions). ``["round", first,
last]`` answers ``go``, listens until ``done``, then expects ``["committed", [[first, last, ns], …]]`` and
answers with the figures, which include lost events and events out of order.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import re
import resource
import struct
import sys
import time
from collections import Counter
from typing import Any

_RANGE = re.compile(rb'"from":(\d+),"to":(\d+)')
_ACKNOWLEDGE_EVERY = 128 * 1024
_HEAD_BYTES = 200
_READY_SECONDS = 120
_QUIET_SECONDS = 10


class Crowd:
    def __init__(self, port: int, stream: str) -> None:
        self.port, self.stream = port, stream
        self.listeners: list[Listener] = []
        self.unready = 0
        self.ready, self.done = asyncio.Event(), asyncio.Event()
        self.first = self.last = self.missing = self.astray = 0
        self.heard: list[tuple[int, int, int]] = []

    async def grow(self, sessions: list[str]) -> None:
        loop = asyncio.get_running_loop()
        self.unready += len(sessions)
        self.ready.clear()
        for start in range(0, len(sessions), 20):
            made = await asyncio.gather(
                *(
                    loop.create_connection(lambda s=s: Listener(self, s), "127.0.0.1", self.port)  # type: ignore[misc]  # a default value, to bind the variable
                    for s in sessions[start : start + 20]
                )
            )
            self.listeners += [protocol for _, protocol in made]
        async with asyncio.timeout(_READY_SECONDS):
            await self.ready.wait()

    def one_is_ready(self) -> None:
        self.unready -= 1
        if not self.unready:
            self.ready.set()

    def begin(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.missing = len(self.listeners) * (last - first + 1)
        self.astray = 0
        self.heard = []
        self.done.clear()
        for listener in self.listeners:
            listener.position = first - 1

    async def listen(self) -> None:
        """Listen until all events have arrived or no event arrives for a while; count missing events."""
        heard = -1
        while not self.done.is_set() and len(self.heard) > heard:
            heard = len(self.heard)
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    await self.done.wait()
            except TimeoutError:
                pass

    def figures(self, committed: list[list[int]]) -> dict[str, float]:
        """Return the figures; p50 and p99 are in ms, and each event of a frame counts as a delivery."""
        starts = [first for first, _, _ in committed]
        late: Counter[float] = Counter()
        end = committed[0][2] + 1
        for first, last, at in self.heard:
            end = max(end, at)
            for which in range(bisect.bisect(starts, first) - 1, bisect.bisect(starts, last)):
                begun, ended, when = committed[which]
                late[(at - when) / 1e6] += min(last, ended) - max(first, begun) + 1
        return {
            "deliveries": late.total(),
            "lost": self.missing,
            "astray": self.astray,
            "seconds": (end - committed[0][2]) / 1e9,
            "p50": _quantile(late, 0.5),
            "p99": _quantile(late, 0.99),
        }


def _quantile(counts: Counter[float], share: float) -> float:
    left = counts.total() * share
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return round(value, 2)
    return 0.0


class Listener(asyncio.Protocol):
    def __init__(self, crowd: Crowd, session: str) -> None:
        self.crowd, self.session = crowd, session
        self.buffer = bytearray()
        self.upgraded = False
        self.unacknowledged = 0
        self.position = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("The stream must be text.")
        self.transport = transport
        host = f"127.0.0.1:{self.crowd.port}"
        transport.write(
            f"GET /ws/v1/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Cookie: sessionid={self.session}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        print(f"The server closed a socket: {error or self.buffer[:40]!r}", file=sys.stderr)  # noqa: T201

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.upgraded = True
            del self.buffer[: end + 4]
        while self._next():
            pass

    def _next(self) -> bool:
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        size, start = buffer[1] & 127, 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return False
        head = bytes(buffer[start : start + min(size, _HEAD_BYTES)])
        opcode = buffer[0] & 15
        del buffer[: start + size]
        if opcode == 9:
            self._send(0x8A, head)
        elif opcode == 1:
            self._hear(head, size)
        return True

    def _hear(self, head: bytes, size: int) -> None:
        if found := _RANGE.search(head):
            self._count(int(found[1]), int(found[2]), size)
        elif b'"welcome"' in head:
            self._say({"type": "subscribe", "stream": self.crowd.stream})
        elif head == b"{}" or b'"subscribed"' in head:
            self.crowd.one_is_ready()

    def _count(self, first: int, last: int, size: int) -> None:
        crowd = self.crowd
        if crowd.first <= first <= last <= crowd.last:
            if first <= self.position:
                crowd.astray += 1  # ``missing`` counts gaps
            self.position = last
            crowd.heard.append((first, last, time.monotonic_ns()))
            crowd.missing -= last - first + 1
            if crowd.missing <= 0:
                crowd.done.set()
        self.unacknowledged += size
        if self.session and self.unacknowledged >= _ACKNOWLEDGE_EVERY:
            self.unacknowledged = 0
            self._say({"type": "ack", "stream": crowd.stream, "seq": last})

    def _say(self, frame: dict[str, object]) -> None:
        self._send(0x81, json.dumps(frame).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        # A mask of zeros does not change the text.
        self.transport.write(struct.pack("!BBI", opcode, 0x80 | len(payload), 0) + payload)


async def main(port: int, stream: str) -> None:
    crowd = Crowd(port, stream)
    commands = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        name, *arguments = json.loads(line)
        if name == "grow":
            await crowd.grow(*arguments)
            _answer("ready")
        else:
            crowd.begin(*arguments)
            _answer("go")
            await crowd.listen()
            _answer("done")
            _, committed = json.loads(await commands.readline())
            _answer(crowd.figures(committed))


def _answer(what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
