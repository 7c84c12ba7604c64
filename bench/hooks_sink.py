"""A receiver of webhooks for the benchmark: answers 204 at once, and keeps when each event came.

    python bench/hooks_sink.py PORT_FILE

``GET /taken`` answers ``{path: [[arrival, lag], …]}`` and forgets it; the lag is the time since the event.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
taken: defaultdict[str, list[tuple[float, bytes]]] = defaultdict(list)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            method, path = head.split(b" ", 2)[:2]
            if method == b"GET":
                body = json.dumps(_told()).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                continue
            size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
            taken[path.decode()].append((time.time(), body))
            if path != b"/dead":
                writer.write(_ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _told() -> dict[str, list[tuple[float, float]]]:
    """Return arrivals and lags, and forget them."""
    told = {path: [(at, at - _time_in(body)) for at, body in rows] for path, rows in taken.items()}
    taken.clear()
    return told


def _time_in(body: bytes) -> float:
    stamp = json.loads(body).get("timestamp", "1970-01-01T00:00:00Z")
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


async def main(listener: socket.socket) -> None:
    server = await asyncio.start_server(serve, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    Path(sys.argv[1]).write_text(str(listening.getsockname()[1]))
    asyncio.run(main(listening))
