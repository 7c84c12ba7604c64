"""What ``realtime.daphne`` leaves out of what daphne does to HTTP requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from daphne import http_protocol
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.web import http

from realtime import daphne

FORM = b"name=Grace&word=peace"
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\npeace\r\n--x--\r\n'


class Server:
    """daphne's server, as far as one request sees it; keeps the scope and the queue of each."""

    root_path = "/of-the-operator"
    request_buffer_size = 8192
    proxy_forwarded_address_header = None
    server_name = ""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def protocol_connected(self, protocol: Any) -> None: ...

    def protocol_disconnected(self, protocol: Any) -> None: ...

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        self.scopes.append(scope)
        return self.queue


@pytest.fixture
def ours() -> Iterator[None]:
    before = http_protocol.WebRequest, WebSocketFactory.protocol
    daphne.install()
    yield
    http_protocol.WebRequest, WebSocketFactory.protocol = before


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of Twisted's parsers were called."""
    called: list[str] = []
    for name in ("parse_qs", "_getMultiPartArgs"):

        def note(*_: Any, name: str = name) -> dict[bytes, list[bytes]]:
            called.append(name)
            return {}

        monkeypatch.setattr(http, name, note)
    return called


def send(content_type: bytes, body: bytes, *more: bytes) -> tuple[Server, bytes]:
    """One POST, read by daphne's protocol; what it answered by itself."""
    server = Server()
    address = IPv4Address("TCP", "127.0.0.1", 50_000)
    factory = http_protocol.HTTPFactory(server)
    factory.timeOut = None  # no reactor runs
    protocol = factory.buildProtocol(address)
    transport: Any = StringTransport(peerAddress=address)  # type: ignore[no-untyped-call]  # Twisted's
    protocol.makeConnection(transport)
    head = [
        b"POST /form/ HTTP/1.1",
        b"Host: grace.example",
        b"Content-Type: " + content_type,
        b"Content-Length: %d" % len(body),
        *more,
    ]
    protocol.dataReceived(b"\r\n".join(head) + b"\r\n\r\n" + body)
    answered = transport.value()
    return server, answered


KINDS = {
    "urlencoded": (b"application/x-www-form-urlencoded", FORM),
    "multipart": (b"multipart/form-data; boundary=x", MULTIPART),
    "without a boundary": (b"multipart/form-data", MULTIPART),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_is_left_to_the_application(ours: None, parsed: list[str], kind: str) -> None:
    content_type, body = KINDS[kind]
    server, answered = send(content_type, body)
    assert parsed == []
    assert answered == b""
    message = server.queue.get_nowait()
    assert (message["body"], message["more_body"]) == (body, False)


def test_plain_daphne_parses_it_on_the_event_loop(parsed: list[str]) -> None:
    """What ours is there for: where this fails, daphne has changed, and ours may go."""
    send(*KINDS["urlencoded"])
    assert parsed == ["parse_qs"]


@pytest.mark.parametrize("name", [b"Daphne-Root-Path", b"daphne-root-path", b"DAPHNE-ROOT-PATH"])
def test_the_root_path_is_the_operators(ours: None, name: bytes) -> None:
    server, _ = send(b"text/plain", b"", name + b": /elsewhere", name + b": /twice")
    assert SimpleNamespace(**server.scopes[0]).root_path == "/of-the-operator"
    assert name.lower() not in dict(server.scopes[0]["headers"])
