"""The webhooks of the stub of the provider: two reports on each accepted text, signed as Telnyx signs."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from delivery_load import telnyx_event

_STEPS = (("message.sent", "sent", 0.05), ("message.finalized", "delivered", 0.15))
"""Type, status, and the seconds after the answer."""
_CONNECTIONS = 8


class Reporter:
    """Posts reports over a few kept connections, in the order in which they become due."""

    def __init__(self, url: str, seed: str) -> None:
        self._parts = urlsplit(url)
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
        self._due: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        self._tasks = [asyncio.ensure_future(self._work()) for _ in range(_CONNECTIONS)]

    def report(self, provider_id: str) -> None:
        """Report that the text was sent, and then that it was delivered."""
        loop = asyncio.get_running_loop()
        for kind, status, seconds in _STEPS:
            loop.call_later(seconds, self._due.put_nowait, (provider_id, kind, status))

    async def _work(self) -> None:
        reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        while True:
            body = json.dumps(telnyx_event(*await self._due.get())).encode()
            writer.write(self._head(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))

    def _head(self, body: bytes) -> bytes:
        at = str(int(time.time()))
        signature = base64.b64encode(self._key.sign(at.encode() + b"|" + body)).decode()
        return (
            f"POST {self._parts.path} HTTP/1.1\r\nhost: {self._parts.netloc}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"telnyx-timestamp: {at}\r\ntelnyx-signature-ed25519: {signature}\r\n\r\n"
        ).encode()


def _length(head: bytes) -> int:
    lines = [line.split(b":", 1) for line in head.lower().split(b"\r\n") if b":" in line]
    return next((int(value) for name, value in lines if name == b"content-length"), 0)
