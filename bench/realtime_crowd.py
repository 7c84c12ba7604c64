"""Many listeners in one process, on bare sockets, so that they cost less than what they measure.

``python realtime_crowd.py PORT LISTENERS EVENTS SECONDS [STREAM SESSION]`` prints ``ready`` when all
are connected, and at the end a line of JSON: deliveries, lost, seconds, p50 and p99 in ms.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
import sys
import time
from statistics import quantiles

_STAMP = re.compile(rb'"t":(\d+)')
_TO = re.compile(rb'"to":(\d+)')
_ACKNOWLEDGE_EVERY = 32 * 1024


class Crowd:
    def __init__(self, listeners: int, events: int, stream: str, session: str) -> None:
        self.stream, self.session = stream, session
        self.missing = listeners * events
        self.unready = listeners
        self.latencies: list[float] = []
        self.last = 0
        self.ready, self.done = asyncio.Event(), asyncio.Event()

    def listener_is_ready(self) -> None:
        self.unready -= 1
        if not self.unready:
            self.ready.set()

    def delivered(self, stamps: list[bytes]) -> None:
        self.last = time.monotonic_ns()
        self.latencies.extend((self.last - int(stamp)) / 1e6 for stamp in stamps)
        self.missing -= len(stamps)
        if self.missing <= 0:
            self.done.set()


class Listener(asyncio.Protocol):
    def __init__(self, crowd: Crowd, port: int) -> None:
        self.crowd, self.port = crowd, port
        self.buffer = bytearray()
        self.upgraded = False
        self.unacknowledged = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("A stream was asked for.")
        self.transport = transport
        host = f"127.0.0.1:{self.port}"
        transport.write(
            f"GET /ws/v1/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Cookie: sessionid={self.crowd.session}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.upgraded = True
            del self.buffer[: end + 4]
        while (frame := self._next()) is not None:
            self._hear(frame)

    def _next(self) -> bytes | None:
        if len(self.buffer) < 4:
            return None
        size, start = self.buffer[1] & 127, 2
        if size == 126:
            size, start = int.from_bytes(self.buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(self.buffer[2:10], "big"), 10
        if len(self.buffer) < start + size:
            return None
        frame = bytes(self.buffer[start : start + size])
        del self.buffer[: start + size]
        return frame

    def _hear(self, frame: bytes) -> None:
        if stamps := _STAMP.findall(frame):
            self.crowd.delivered(stamps)
            self._count(frame)
        elif b'"welcome"' in frame:
            self._say({"type": "subscribe", "stream": self.crowd.stream})
        elif frame == b"{}" or b'"subscribed"' in frame:
            self.crowd.listener_is_ready()

    def _count(self, frame: bytes) -> None:
        self.unacknowledged += len(frame)
        if self.crowd.session and self.unacknowledged > _ACKNOWLEDGE_EVERY:
            self.unacknowledged = 0
            if found := _TO.search(frame):
                self._say({"type": "ack", "stream": self.crowd.stream, "seq": int(found[1])})

    def _say(self, frame: dict[str, object]) -> None:
        text = json.dumps(frame).encode()
        # The mask of zeros leaves the text as it is.
        self.transport.write(struct.pack("!BBI", 0x81, 0x80 | len(text), 0) + text)


async def main(port: int, listeners: int, events: int, seconds: float, who: list[str]) -> None:
    stream, session = who or ["", ""]
    crowd = Crowd(listeners, events, stream, session)
    loop = asyncio.get_running_loop()
    for start in range(0, listeners, 50):
        await asyncio.gather(
            *(
                loop.create_connection(lambda: Listener(crowd, port), "127.0.0.1", port)
                for _ in range(start, min(start + 50, listeners))
            )
        )
    async with asyncio.timeout(120):
        await crowd.ready.wait()
    print("ready", flush=True)  # noqa: T201
    began = time.monotonic_ns()
    try:
        async with asyncio.timeout(seconds):
            await crowd.done.wait()
    except TimeoutError:
        pass  # what is lost is counted
    cuts = quantiles(crowd.latencies or [0, 0], n=100)
    answer = {
        "deliveries": len(crowd.latencies),
        "lost": crowd.missing,
        "seconds": (max(crowd.last, began + 1) - began) / 1e9,
        "p50": round(cuts[49], 1),
        "p99": round(cuts[98], 1),
    }
    print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
    )
