from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from koinonia.webhooks import addresses
from koinonia.webhooks.addresses import Reach
from koinonia.webhooks.posting import NoAnswerError, Poster
from tests.support.certificates import self_signed
from tests.support.closing_server import ClosingServer
from tests.support.webhook_receiver import WebhookReceiver, answer

SHORT = 0.6
HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


def code_of(poster: Poster, url: str) -> str:
    """Return the code of the failure of a post to ``url``."""
    with pytest.raises(NoAnswerError) as caught:
        poster.post(url, b"{}", HEADERS)
    return caught.value.code


def test_a_post_arrives_as_it_was_given(receiver: WebhookReceiver) -> None:
    found = Poster(Reach.LOOPBACK).post(f"{receiver.url}?church=grace", b'{"a":1}', HEADERS)
    assert found.status == 204
    (request,) = receiver.received
    assert (request.path, request.body) == ("/hooks?church=grace", b'{"a":1}')
    assert request.headers["content-type"] == "application/json"


def test_posts_share_a_connection(receiver: WebhookReceiver) -> None:
    ports = set()

    def note_port(request: BaseHTTPRequestHandler) -> None:
        ports.add(request.client_address[1])
        answer(200, b"ok")(request)

    receiver.handler = note_port
    poster = Poster(Reach.LOOPBACK)
    for _ in range(3):
        poster.post(receiver.url, b"{}", HEADERS)
    assert len(ports) == 1


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: WebhookReceiver) -> None:
    receiver.handler = answer(302, headers={"Location": receiver.url})
    assert Poster(Reach.LOOPBACK).post(receiver.url, b"{}", HEADERS).status == 302
    assert len(receiver.received) == 1


def test_of_a_large_answer_only_the_beginning_is_read(receiver: WebhookReceiver) -> None:
    receiver.handler = answer(500, b"Something is wrong.\n" * 100_000)
    found = Poster(Reach.LOOPBACK).post(receiver.url, b"{}", HEADERS)
    assert found.status == 500
    assert found.excerpt.startswith("Something is wrong. Something")
    assert len(found.excerpt) == 200


def test_a_receiver_that_never_answers_is_a_timeout(receiver: WebhookReceiver) -> None:
    receiver.handler = never
    assert code_of(Poster(Reach.LOOPBACK, total_seconds=SHORT), receiver.url) == "timeout"


def never(request: BaseHTTPRequestHandler) -> None:
    """Wait until the client hangs up."""
    request.rfile.read(1)


def drip(request: BaseHTTPRequestHandler, receiver: WebhookReceiver) -> None:
    """Send a letter of an endless header each twentieth of a second."""
    try:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not receiver.closing.wait(0.05):
            request.wfile.write(b"a")
    except OSError:
        request.close_connection = True


def test_a_receiver_that_sends_a_letter_at_a_time_is_cut_at_the_total_time(
    receiver: WebhookReceiver,
) -> None:
    receiver.handler = lambda request: drip(request, receiver)
    assert code_of(Poster(Reach.LOOPBACK, total_seconds=SHORT), receiver.url) == "timeout"


def test_a_server_that_hangs_up_is_a_broken_connection() -> None:
    with ClosingServer() as server:
        assert code_of(Poster(Reach.LOOPBACK), f"http://{server.address}/") == "connection_broken"


def test_a_port_without_a_listener_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert code_of(Poster(Reach.LOOPBACK), f"http://127.0.0.1:{port}/") == "no_connection"


def test_tls_verifies_the_name_although_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path / "certificate.pem")
    trusting = ssl.create_default_context(cafile=str(certificate))
    with WebhookReceiver(certificate=certificate) as receiver:
        poster = Poster(Reach.LOOPBACK, context=trusting)
        assert poster.post(receiver.url, b"{}", HEADERS).status == 204
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        assert code_of(poster, by_name) == "tls_failed"
        assert code_of(Poster(Reach.LOOPBACK), receiver.url) == "tls_failed"


def test_no_proxy_of_the_environment_is_used(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Poster(Reach.LOOPBACK).post(receiver.url, b"{}", HEADERS).status == 204


def test_a_name_that_leads_to_this_machine_is_refused_before_a_connection(
    receiver: WebhookReceiver,
) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    assert code_of(Poster(Reach.PUBLIC), url) == "host_refused"
    assert code_of(Poster(Reach.PUBLIC), receiver.url) == "host_refused"
    assert receiver.received == []


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, 1, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert code_of(Poster(Reach.PUBLIC), "https://hooks.example.org/") == "host_refused"


def test_the_name_is_resolved_once_for_a_connection(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answer the second question with another address, as DNS rebinding does."""
    asked: list[Any] = []
    ours = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    theirs = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", receiver.port))]

    def resolve(*question: Any, **_: Any) -> list[Any]:
        asked.append(question)
        return ours if len(asked) == 1 else theirs

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    poster = Poster(Reach.LOOPBACK)
    url = f"http://hooks.example.org:{receiver.port}/"
    assert [poster.post(url, b"{}", HEADERS).status for _ in range(2)] == [204, 204]
    assert len(asked) == 1


def test_a_name_that_does_not_exist_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert code_of(Poster(), "https://nowhere.example.org/") == "host_unknown"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::",
        "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::1", "2001:db8::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not Reach.PUBLIC.allows(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700:4700::1111"])
def test_an_address_of_the_internet_is_allowed(address: str) -> None:
    assert Reach.PUBLIC.allows(address)
    assert Reach.LOOPBACK.allows(address)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.org/", "https://"),
        ("ftp://hooks.example.org/", "not a web address"),
        ("https://", "not a web address"),
        ("https://hooks.example.org:99999/", "not a web address"),
        ("https://anna:secret@hooks.example.org/", "password"),
        ("https://hooks.example.org/#part", "# part"),
        ("https://hooks.example.org:25/", "port"),
        ("https://hooks.example.org/a b", "space"),
        ("https://hooks.example.org\\@127.0.0.1/", "backslash"),
        ("https://127.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://169.254.169.254/latest/", "public"),
        ("https://hooks.example.org/" + "a" * 500, "500"),
    ],
)
def test_a_url_that_no_webhook_may_go_to_is_refused_with_a_reason(url: str, words: str) -> None:
    assert words in addresses.refusal(url)


def test_http_is_for_loopback_only_and_only_where_that_is_allowed() -> None:
    assert addresses.refusal("http://127.0.0.1:8000/", Reach.LOOPBACK) == ""
    assert addresses.refusal("http://localhost:8000/", Reach.LOOPBACK) == ""
    assert "https://" in addresses.refusal("http://hooks.example.org/", Reach.LOOPBACK)
    assert addresses.refusal("http://alerts.internal/", Reach.ANY) == ""
    assert addresses.refusal("https://hooks.example.org:8443/x?y=1") == ""


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "2130706433", "017700000001", "0", "localhost", "LOCALHOST.", "a.localhost"]
)  # fmt: skip
def test_this_machine_is_refused_in_each_spelling(host: str) -> None:
    assert "public" in addresses.refusal(f"https://{host}/")


def flood(request: BaseHTTPRequestHandler, receiver: WebhookReceiver, line: bytes) -> None:
    """Send ``line`` until the client hangs up."""
    try:
        while not receiver.closing.is_set():
            request.wfile.write(line)
    except OSError:
        request.close_connection = True


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", {"timeout"}),
        (b"HTTP/1.1 200 OK\r\nX-Many: " + 70_000 * b"a", {"connection_broken"}),
        (b"a" * 70_000, {"connection_broken"}),
    ],
)
def test_an_endless_head_is_cut(receiver: WebhookReceiver, line: bytes, codes: set[str]) -> None:
    receiver.handler = lambda request: flood(request, receiver, line)
    poster = Poster(Reach.LOOPBACK, total_seconds=SHORT)
    assert code_of(poster, receiver.url) in codes


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n"],
)
def test_of_an_endless_body_only_the_beginning_is_read(
    receiver: WebhookReceiver, head: bytes
) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 500 Internal Server Error\r\n" + head)
        flood(request, receiver, 1000 * b"a" + (b"\r\n3e8\r\n" if b"chunked" in head else b""))

    receiver.handler = endless
    found = Poster(Reach.LOOPBACK).post(receiver.url, b"{}", HEADERS)
    assert (found.status, found.excerpt) == (500, 200 * "a")


def test_a_receiver_that_sends_its_body_a_letter_at_a_time_is_cut_at_the_total_time(
    receiver: WebhookReceiver,
) -> None:
    def drip_body(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while not receiver.closing.wait(0.05):
                request.wfile.write(b"a")
        except OSError:
            request.close_connection = True

    receiver.handler = drip_body
    assert code_of(Poster(Reach.LOOPBACK, total_seconds=SHORT), receiver.url) == "timeout"


def test_a_receiver_that_never_finishes_the_tls_handshake_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert code_of(Poster(Reach.LOOPBACK, total_seconds=SHORT), url) == "timeout"


def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare the address of the answer of the resolver with the one that the socket has connected to."""
    opened: list[Any] = []
    original = socket.socket.connect

    def connect(line: socket.socket, address: Any) -> None:
        opened.append(address)
        original(line, address)

    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    monkeypatch.setattr(socket.socket, "connect", connect)
    poster = Poster(Reach.LOOPBACK)
    assert poster.post(f"http://hooks.example.org:{receiver.port}/", b"{}", HEADERS).status == 204
    assert opened == [("127.0.0.1", receiver.port)]
    assert receiver.received[0].headers["host"] == f"hooks.example.org:{receiver.port}"
