"""httplint checks the answers of a live daphne."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.httpopt.http_lint import lint

ROOT = Path(__file__).resolve().parents[3]
ANN = {"Authorization": "Name ann"}
ZSTD = {**ANN, "Accept-Encoding": "zstd"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        number: int = listener.getsockname()[1]
        # Pass the socket on, so that the port cannot be taken by another process.
        server = subprocess.Popen(
            [sys.executable, "-m", "daphne", "--no-server-name", "--fd", str(listener.fileno()),
             "tests.httpopt.alone.asgi:application"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.httpopt.alone.settings"},
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield number
        finally:
            server.terminate()
            server.wait(60)


Answer = tuple[int, list[tuple[str, str]], bytes]


def ask(port: int, method: str, path: str, headers: dict[str, str]) -> Answer:
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()


ASKED = [
    ("GET", "/page/", {}, 200),
    ("GET", "/page/", {"Accept-Encoding": "gzip"}, 200),
    ("GET", "/page/", {"Accept-Encoding": "br"}, 200),
    ("GET", "/page/", {"Accept-Encoding": "zstd"}, 200),
    ("GET", "/page/?size=10", {"Accept-Encoding": "gzip"}, 200),
    ("HEAD", "/page/", {"Accept-Encoding": "gzip"}, 200),
    ("GET", "/page/", {"If-None-Match": "*"}, 304),
    ("GET", "/page/", {"If-Match": '"x"'}, 412),
    ("GET", "/page/", {"If-Match": "x"}, 400),
    ("GET", "/plain/", ZSTD, 200),
    ("GET", "/plain/", {**ZSTD, "If-None-Match": "*"}, 304),
    ("GET", "/lines/", {"Accept-Encoding": "gzip"}, 200),
    ("GET", "/async-lines/", {"Accept-Encoding": "br"}, 200),
    ("GET", "/nowhere/", {}, 404),
    ("GET", "/1/books/", {}, 401),
    ("GET", "/1/books/", {"Authorization": "Name forbidden"}, 403),
    ("GET", "/page/?size=0&status=204", {}, 204),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ASKED)
def test_httplint_finds_nothing_in_a_live_answer(
    port: int, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = ask(port, method, path, headers)
    assert answer[0] == status
    assert lint(method, *answer) == []
    assert [name for name, _ in answer[1]].count("Date") == 1
