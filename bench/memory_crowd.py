"""Sockets for bench_memory.py: ``python memory_crowd.py URL STREAM`` reads one token for each on a line.

Prints ``ready`` when each socket is subscribed; closes them all at the end of its input.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

_AT_ONCE = 50
_ACKNOWLEDGE_EVERY = 128 * 1024


async def listen(url: str, stream: str, token: str, subscribed: asyncio.Semaphore) -> None:
    """Subscribe, and acknowledge as the protocol asks, until the task is cancelled."""
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        unacknowledged = 0
        async for text in socket:
            frame: dict[str, Any] = json.loads(text)
            unacknowledged += len(text)
            if frame["type"] == "welcome":
                await _say(socket, {"type": "subscribe", "stream": stream})
            elif frame["type"] == "subscribed":
                subscribed.release()
            elif frame["type"] == "events" and unacknowledged >= _ACKNOWLEDGE_EVERY:
                unacknowledged = 0
                await _say(socket, {"type": "ack", "stream": stream, "seq": frame["to"]})


async def _say(socket: ClientConnection, frame: dict[str, object]) -> None:
    await socket.send(json.dumps(frame))


async def main(url: str, stream: str) -> None:
    tokens = json.loads(sys.stdin.readline())
    subscribed = asyncio.Semaphore(0)
    listening: list[asyncio.Task[None]] = []
    for start in range(0, len(tokens), _AT_ONCE):
        some = tokens[start : start + _AT_ONCE]
        listening += [asyncio.create_task(listen(url, stream, token, subscribed)) for token in some]
        for _ in some:
            async with asyncio.timeout(60):
                await subscribed.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    lost = sum(task.done() for task in listening)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    sys.stdout.write(f"{lost}\n")


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    asyncio.run(main(sys.argv[1], sys.argv[2]))
