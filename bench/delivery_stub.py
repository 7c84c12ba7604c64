"""A cheap stub of Telnyx: ``python bench/delivery_stub.py [SECONDS]``.

The stub prints its port. It accepts every text and answers 20 ms or SECONDS later; it answers a text with ``[fails 3]``
with 503 three times first. ``GET /arrivals`` returns the Unix time at which each text arrived, ``GET /posts``
the number of its posts by idempotency key, and ``GET /count`` the number of texts.
``PUT /webhooks`` with ``{"url": …, "seed": …}`` makes it report on each text that it accepts from then on.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
import uuid
from collections import Counter, defaultdict

from delivery_reports import Reporter

ANSWER_SECONDS = float(sys.argv[1]) if sys.argv[1:] else 0.02
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"\r\nidempotency-key: *([^\r]+)", re.IGNORECASE)
_FAILS = re.compile(rb"\[fails (\d+)\]")
_UNAVAILABLE = b'{"errors":[{"code":"10037","title":"Service unavailable"}]}'


class Stub(asyncio.Protocol):
    arrivals: dict[str, float] = {}
    posts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    failed: Counter[bytes] = Counter()
    reporter: Reporter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # because the server is a TCP server
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            self._write(200, json.dumps(self._told(head.split(b" ", 2)[1])).encode())
            return
        if head.startswith(b"PUT"):
            Stub.reporter = Reporter(**json.loads(body))
            self._write(200, b"{}")
            return
        text, key = json.loads(body)["text"], _KEY.search(head)
        self.arrivals.setdefault(text, time.time())
        self.posts[text][key[1].decode() if key else ""] += 1
        asyncio.get_running_loop().call_later(
            ANSWER_SECONDS, self._write, *self._verdict(head, body)
        )

    def _told(self, path: bytes) -> object:
        if path == b"/count":
            return len(self.arrivals)
        return self.posts if path == b"/posts" else self.arrivals

    def _verdict(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        fails, key = _FAILS.search(body), _KEY.search(head)
        if fails and key and self.failed[key[1]] < int(fails[1]):
            self.failed[key[1]] += 1
            return 503, _UNAVAILABLE
        given = uuid.uuid4().hex
        if self.reporter is not None:
            self.reporter.report(given)
        return 200, b'{"data":{"record_type":"message","id":"%s"}}' % given.encode()

    def _write(self, status: int, body: bytes) -> None:
        if not self._transport.is_closing():
            head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
            self._transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
