"""HTTP/1.1 with keep-alive, one thread per connection, and control over the socket itself."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message as Headers
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Headers, body: bytes) -> Request:
        parts = urlsplit(target)
        return cls(method=method, path=parts.path, query=parts.query, headers=headers, body=body)

    def header_values(self, name: str) -> list[str]:
        return [str(value) for value in self.headers.get_all(name, [])]

    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query))


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    """Write nothing and close the connection."""


HANG_UP = Answer(hangs_up=True)


def json_answer(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(status=status, body=json.dumps(content).encode(), headers=headers or {})


Application = Callable[[Request], Answer]


def _never() -> bool:
    return False


class Server(ThreadingHTTPServer):
    """A server that runs in a separate thread between ``start`` and ``stop``."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, host: str, port: int, application: Application, refuses: Callable[[], bool] = _never
    ) -> None:
        self.application, self.refuses = application, refuses
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="simulator-server", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close the listening socket and every connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._connections_lock:
            open_connections = list(self._connections)
        for connection in open_connections:
            _shut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection; print any other error on stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    rfile: BufferedReader
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        # Peek: a refused connection is closed before its request is read.
        if not self._waits_for_bytes():
            self.close_connection = True
        elif self.server.refuses():
            self._reset()
        else:
            super().handle_one_request()

    def _waits_for_bytes(self) -> bool:
        """Return True when the first byte of a request is here, False when the client has gone."""
        try:
            return bool(self.rfile.peek(1))
        except ConnectionError:
            return False

    def do_GET(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal():
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        self._write(
            self.server.application(Request.of(self.command, self.path, self.headers, body))
        )

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET  # noqa: N815 -- the base class calls them

    def _write(self, answer: Answer) -> None:
        if answer.hangs_up:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.close_connection = True
        # Linger for no time: the kernel sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
        """Log nothing: the ledger is the record."""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # The client has closed it.
