"""``realtime.daphne``: direct writes, bodies left to the application, root path, idle connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import daphne.server
import pytest
from daphne import http_protocol
from daphne.ws_protocol import WebSocketFactory
from pytest_django.fixtures import Settings
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.web import http

from realtime import conf
from realtime.daphne import CLOSE_SECONDS, PatientFactory, PromptProtocol, install, write_now
from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import APPLICATION, SecondProject
from tests.support.certificates import self_signed
from tests.support.running_system import free_port
from tests.support.waiting import wait_until

PROXY_TIMEOUT = 60
"""Seconds; the default of nginx (upstream ``keepalive_timeout``), of AWS and of other balancers."""
CLOSE = 8
"""The opcode of a close frame."""
REQUEST = b"GET /page/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FORM = b"name=Grace&word=peace"
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\npeace\r\n--x--\r\n'
BODIES = {
    "urlencoded": (b"application/x-www-form-urlencoded", FORM),
    "multipart": (b"multipart/form-data; boundary=x", MULTIPART),
    "without a boundary": (b"multipart/form-data", MULTIPART),
}


# Direct writes


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "project.pem")


@pytest.fixture
def secure_port(project: SecondProject, certificate: Path) -> Iterator[int]:
    port = free_port()
    endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    project.servers[port] = project.run("realtime.daphne", "-v", "0", "-e", endpoint, APPLICATION)
    wait_until(lambda: _is_listening(port))
    yield port
    project.kill(port)


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_tls_connection_is_not_bypassed(
    project: SecondProject, secure_port: int, certificate: Path, stream: str, session: str
) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    # daphne reports no scheme of a socket, so the site's own origin is http here.
    origin = f"http://127.0.0.1:{secure_port}"
    async with open_socket(secure_port, session, tls=context, origin=origin) as ann:
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 500, 7)
        assert await ann.numbers_until(stream, 500) == list(range(1, 501))


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """Connect a Twisted connection with a socket, and return both."""
    ours, theirs = socket.socketpair()
    connection: Any = Connection(ours, Protocol(), MemoryReactor())  # type: ignore[no-untyped-call,arg-type]  # Twisted's interfaces
    connection.connected = True
    with ours, theirs:
        yield connection, theirs


def test_twisted_writes_the_rest_of_a_partial_write_and_everything_after_it(
    ends: tuple[Any, socket.socket],
) -> None:
    connection, theirs = ends
    data = b"much" * 1_000_000
    written = write_now(connection, data)
    assert 0 < written < len(data)
    connection.write(data[written:])
    assert len(theirs.recv(10_000_000)) > 0  # the socket has room, but older data waits in Twisted
    assert write_now(connection, b"more") == 0


def test_the_event_loop_handles_a_disconnected_client(ends: tuple[Any, socket.socket]) -> None:
    connection, theirs = ends
    theirs.close()
    assert write_now(connection, b"anybody?") == 0


# Ends of sockets


@pytest.fixture
def open_protocol(monkeypatch: pytest.MonkeyPatch) -> PromptProtocol:
    """Return the protocol of an open socket that keeps its frames in ``frames``."""
    protocol = PromptProtocol()
    protocol.state, protocol.closeHandshakeTimeout, protocol.frames = protocol.STATE_OPEN, 0, []
    monkeypatch.setattr(
        protocol, "sendFrame", lambda opcode, payload: protocol.frames.append((opcode, payload))
    )
    return protocol


def test_an_application_names_the_reason_of_a_close(open_protocol: PromptProtocol) -> None:
    open_protocol.handle_reply({"type": "websocket.close", "code": 4401, "reason": "Sign in."})
    assert open_protocol.frames == [(CLOSE, (4401).to_bytes(2, "big") + b"Sign in.")]


@pytest.mark.parametrize("code", [1000, 1011, 4401])
def test_an_application_closes_with_any_code(open_protocol: PromptProtocol, code: int) -> None:
    open_protocol.handle_reply({"type": "websocket.close", "code": code})
    assert open_protocol.frames == [(CLOSE, code.to_bytes(2, "big"))]
    # A second close changes nothing.
    open_protocol.handle_reply({"type": "websocket.close", "code": code})
    assert len(open_protocol.frames) == 1


def test_a_frame_after_the_close_is_an_oserror(open_protocol: PromptProtocol) -> None:
    open_protocol.close_registered(1012)
    with pytest.raises(OSError, match="closed"):
        open_protocol.handle_reply({"type": "websocket.send", "text": "late"})


# Requests


class StubServer:
    """A server for one protocol; it records the scopes and the messages of the requests."""

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
def installed() -> Iterator[None]:
    before = http_protocol.WebRequest, WebSocketFactory.protocol, daphne.server.HTTPFactory
    install()
    yield
    http_protocol.WebRequest, WebSocketFactory.protocol, daphne.server.HTTPFactory = before


@pytest.fixture
def called_parsers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the calls of Twisted's parsers of forms."""
    called: list[str] = []
    for name in ("parse_qs", "_getMultiPartArgs"):

        def record(*_: Any, name: str = name) -> dict[bytes, list[bytes]]:
            called.append(name)
            return {}

        monkeypatch.setattr(http, name, record)
    return called


def send(content_type: bytes, body: bytes, *headers: bytes) -> tuple[StubServer, bytes]:
    """Send a POST through daphne's protocol; return the server and the protocol's own answer."""
    server = StubServer()
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
        *headers,
    ]
    protocol.dataReceived(b"\r\n".join(head) + b"\r\n\r\n" + body)
    return server, transport.value()


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_of_a_form_is_left_to_the_application(
    installed: None, called_parsers: list[str], kind: str
) -> None:
    content_type, body = BODIES[kind]
    server, answer = send(content_type, body)
    assert called_parsers == []
    assert answer == b""
    message = server.queue.get_nowait()
    assert (message["body"], message["more_body"]) == (body, False)


def test_plain_daphne_parses_a_form_on_the_event_loop(called_parsers: list[str]) -> None:
    """Show the reason for our class: if this fails, daphne has changed and the class can go."""
    send(*BODIES["urlencoded"])
    assert called_parsers == ["parse_qs"]


@pytest.mark.parametrize("name", [b"Daphne-Root-Path", b"daphne-root-path", b"DAPHNE-ROOT-PATH"])
def test_a_client_cannot_set_the_root_path(installed: None, name: bytes) -> None:
    server, _ = send(b"text/plain", b"", name + b": /elsewhere", name + b": /twice")
    assert SimpleNamespace(**server.scopes[0]).root_path == "/of-the-operator"
    assert name.lower() not in dict(server.scopes[0]["headers"])


# The close of a socket


def seconds_to_answer_a_close() -> float:
    factory = WebSocketFactory(SimpleNamespace(server_name="daphne", connections={}))
    protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50_000))
    transport: Any = StringTransport()  # type: ignore[no-untyped-call]  # Twisted's
    protocol.makeConnection(transport)
    return float(protocol.closeHandshakeTimeout)


def test_a_client_on_a_slow_network_has_time_to_answer_a_close(installed: None) -> None:
    assert seconds_to_answer_a_close() == CLOSE_SECONDS > 1


# Idle connections


def test_idle_connections_are_kept_longer_than_proxies_keep_them() -> None:
    assert PatientFactory(server=None).timeOut > PROXY_TIMEOUT


def test_the_setting_of_idle_seconds_applies(settings: Settings) -> None:
    settings.REALTIME = {"KEEP_ALIVE_SECONDS": 120}
    assert conf.keep_alive_seconds() == 120


def test_an_idle_connection_is_closed_after_the_setting(project: SecondProject) -> None:
    brief = project.beside(PROJECT_KEEP_ALIVE="1")
    port = brief.serve()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(REQUEST)
            answered = time.monotonic()
            while connection.recv(65536):
                pass
            assert 0.5 < time.monotonic() - answered < PROXY_TIMEOUT / 2
    finally:
        brief.close_servers()
