"""A proxy that breaks the connections of the first requests, after the server has handled them."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import requests

BEFORE, MIDDLE = "before the answer", "in the middle of the answer"
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class CuttingProxy:
    """``with CuttingProxy(url, [BEFORE, MIDDLE]) as proxy: requests.post(proxy.url)``.

    Each POST takes the next of ``cuts``. Without any left the proxy passes on the whole answer.
    """

    def __init__(self, target: str, cuts: list[str]) -> None:
        self.cuts = cuts
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = requests.post(
                    f"{target}{self.path}", body, headers=dict(self.headers), timeout=30
                )
                proxy._answer(self, answer)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, to: BaseHTTPRequestHandler, answer: requests.Response) -> None:
        cut = self.cuts.pop(0) if self.cuts else None
        if cut == BEFORE:
            to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            return
        to.send_response(answer.status_code)
        for name in ("Content-Type", "Retry-After", "Idempotent-Replayed"):
            if name in answer.headers:
                to.send_header(name, answer.headers[name])
        to.send_header("Content-Length", str(len(answer.content)))
        to.end_headers()
        to.wfile.write(answer.content[: len(answer.content) // 2] if cut else answer.content)
