"""Many held polls of one stream in a separate process, which repeats each poll after its answer.

bench_held_polls.py writes commands to standard input, one per line. ``count`` returns how many polls are
held, and how many answers were not 200 or 304. ``news`` resets the answers, and reports when all polls have
an answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

_FROM_EACH = 25


class Crowd:
    def __init__(self, host: str, port: int, token: str, after: int) -> None:
        self.host, self.port, self.token, self.after = host, port, token, after
        self.held = 0
        self.bad = 0
        self.answered = 0
        self._came = asyncio.Event()

    async def all_answered(self, count: int) -> None:
        while self.answered < count:
            self._came.clear()
            await self._came.wait()

    async def poll(self) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        after = self.after
        while True:
            path = f"/api/v1/churches/grace/events/?after={after}&wait={_FROM_EACH}"
            head = (
                f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                f"Authorization: Bearer {self.token}\r\n\r\n"
            )
            writer.write(head.encode())
            self.held += 1
            status, body = await _answer(reader)
            self.held -= 1
            self.answered += 1
            self._came.set()
            if status == 200:
                after = json.loads(body)["to"]
            elif status != 304:
                self.bad += 1


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    status, length = int(head[0].split()[1]), 0
    for line in head:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if name.lower() == b"transfer-encoding":
            return status, await _chunks(reader)
    return status, await reader.readexactly(length)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


async def main(host: str, port: int, token: str, after: int, count: int) -> None:
    crowd = Crowd(host, port, token, after)
    polls = [asyncio.create_task(crowd.poll()) for _ in range(count)]
    while line := (await _line()).strip():
        said: dict[str, Any] = {"held": crowd.held, "bad": crowd.bad}
        if line == "news":
            crowd.answered, began = 0, time.monotonic()
            print(json.dumps({"ready": True}), flush=True)  # noqa: T201
            await crowd.all_answered(count)
            said = {"seconds": time.monotonic() - began, "bad": crowd.bad}
        print(json.dumps(said), flush=True)  # noqa: T201
    for poll in polls:
        poll.cancel()


if __name__ == "__main__":
    asyncio.run(
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    )
