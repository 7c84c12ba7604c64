"""Answers that arrive slowly or in pieces: read timeouts do not limit their total time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from delivery.models import Outcome
from delivery.providers.base import LookUpById, LookUpFailedError
from delivery.providers.telnyx.provider import TelnyxProvider
from tests.delivery.accounts import with_provider
from tests.delivery.providers.texts import outbound

TAKEN = b'{"data":{"id":"4031"}}'
REQUEST = outbound()


@contextmanager
def telnyx(settings: Any, answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[set[int]]:
    """Start a provider that writes its answers by ``answer``. Collect the ports of its clients."""
    ports: set[int] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            ports.add(self.client_address[1])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            answer(self)

        def do_GET(self) -> None:
            self.send_response(200)
            answer(self)

        def log_message(self, *_: Any) -> None:
            """Log nothing: the test checks the outcome."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        provider = with_provider(settings, API_BASE=base, API_KEY="KEY0")
        settings.DELIVERY = {**provider, "CONNECT_TIMEOUT": 0.2, "READ_TIMEOUT": 0.3}
        yield ports
        server.shutdown()


@contextmanager
def dripping(settings: Any) -> Iterator[None]:
    """Start a provider that writes its answer slowly; fail if the client waits for the end."""
    given_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            while not given_up.wait(0.05):  # simulated network latency
                handler.wfile.write(b" ")
        except OSError:
            handler.close_connection = True  # the client has disconnected

    with telnyx(settings, drip):
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        given_up.set()
    assert took < 25


def test_a_slow_answer_is_abandoned_in_time(settings: Any) -> None:
    with dripping(settings):
        told = TelnyxProvider().send(REQUEST)
    assert (told.kind, told.code) == (Outcome.AMBIGUOUS, "answer_lost")


def test_a_slow_look_up_is_abandoned_in_time(settings: Any) -> None:
    with dripping(settings), pytest.raises(LookUpFailedError, match="ReadTimeout"):
        TelnyxProvider().look_up(LookUpById("4031"), datetime.now(UTC))


def _whole(handler: BaseHTTPRequestHandler) -> None:
    handler.send_header("Content-Length", str(len(TAKEN)))
    handler.end_headers()
    handler.wfile.write(TAKEN)


def _in_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in (TAKEN[:7], TAKEN[7:], b""):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


@pytest.mark.parametrize("answer", [_whole, _in_chunks])
def test_a_connection_serves_the_next_text_too(
    settings: Any, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    with telnyx(settings, answer) as ports:
        provider = TelnyxProvider()
        for _ in range(3):
            assert provider.send(REQUEST).provider_id == "4031"
    assert len(ports) == 1


def test_an_answer_that_ends_too_soon_is_lost(settings: Any) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_header("Content-Length", str(len(TAKEN)))
        handler.end_headers()
        handler.wfile.write(TAKEN[:-1])
        handler.close_connection = True

    with telnyx(settings, cut):
        told = TelnyxProvider().send(REQUEST)
    assert (told.kind, told.code) == (Outcome.AMBIGUOUS, "answer_lost")
