"""The same answers from each server that the handbook names, beside the server that ``up`` starts."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.asyncio.client import connect

from delivery.worker.parent_death import die_with_parent
from tests.support.running_system import ROOT, RunningSystem, database_environment, free_port
from tests.support.waiting import wait_until

GRACE = "/api/v1/churches/grace/"
_OF_UVICORN = (
    "--no-proxy-headers", "--no-date-header", "--no-server-header", "--no-access-log",
    "--timeout-keep-alive", "75",
)  # fmt: skip
SERVERS = {
    "daphne": ("realtime.daphne", "-v", "0", "--no-server-name"),
    "plain daphne": ("daphne", "-v", "0", "--no-server-name"),
    "uvicorn with httptools": ("uvicorn", "--http", "httptools", *_OF_UVICORN),
    "uvicorn with h11": ("uvicorn", "--http", "h11", *_OF_UVICORN),
}
UNSTABLE = {
    "date", "x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset", "stream-position", "server",
    "set-cookie", "expires",
}  # fmt: skip
"""Headers that differ between two equal requests, and the name of the server."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def stable_headers(self) -> list[tuple[str, str]]:
        found = {name.lower(): value for name, value in self.headers.items()}
        # django-csp takes its directives from a set, so each process has its own order.
        found["content-security-policy"] = ";".join(
            sorted(found.get("content-security-policy", "").split("; "))
        )
        return sorted((name, value) for name, value in found.items() if name not in UNSTABLE)


class Served:
    """One server in front of the database of the running system."""

    def __init__(self, system: RunningSystem, port: int, token: str) -> None:
        self.system = system
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, **headers: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            return self.ask_again(connection, method, path, **headers)

    def ask_again(
        self, connection: http.client.HTTPConnection, method: str, path: str, **headers: str
    ) -> Answer:
        connection.request(method, path, headers={**self.headers, **headers})
        found = connection.getresponse()
        return Answer(found.status, found.headers, found.read())

    def exchange(self, request: bytes) -> bytes:
        """Send the bytes, and return everything until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as opened:
            opened.sendall(request)
            return b"".join(iter(lambda: opened.recv(65_536), b""))

    def head(self, method: str, path: str, *lines: str) -> bytes:
        given = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *lines)
        return "\r\n".join((*given, f"Authorization: Bearer {self.token}", "", "")).encode()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    data_dir: Path = tmp_path_factory.mktemp("servers") / "var"
    with RunningSystem(data_dir, **database_environment()) as running:
        yield running


@pytest.fixture(scope="module")
def token(system: RunningSystem) -> str:
    return system.token("grace-owner")


@pytest.fixture(scope="module", params=SERVERS)
def served(system: RunningSystem, token: str, request: pytest.FixtureRequest) -> Iterator[Served]:
    if "httptools" in request.param and find_spec("httptools") is None:
        pytest.skip("httptools is not installed.")
    module, *options = SERVERS[request.param]
    port = free_port()
    place = ("-p" if "daphne" in module else "--port", str(port), "koinonia.asgi:application")
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options, *place],
        cwd=ROOT,
        env=system.environment_beside,
        preexec_fn=die_with_parent,
    )
    server = Served(system, port, token)
    try:
        wait_until(lambda: _is_up(server), seconds=60)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _is_up(server: Served) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/healthz", {}),
        ("GET", "/login/", {}),
        ("GET", f"{GRACE}members/", {"Accept-Encoding": "zstd"}),
        ("HEAD", f"{GRACE}members/", {}),
        ("GET", f"{GRACE}members/?fields=nothing", {}),
        ("GET", f"{GRACE}events/", {}),
        ("GET", "/api/v1/churches/hope/", {}),
        ("GET", "/api/v1/nowhere/%C3%A4/", {}),
        ("DELETE", f"{GRACE}members/", {}),
        ("OPTIONS", f"{GRACE}groups/", {"Origin": "https://elsewhere.example"}),
    ],
)
def test_the_answer_is_that_of_the_server_of_up(
    served: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    port = int(served.system.url.rpartition(":")[2])
    usual = Served(served.system, port, served.token)
    # The host is part of links and tags, so that both must be asked for the same one.
    headers = {"Host": "127.0.0.1:8000", **headers}
    theirs, ours = (one.ask(method, path, **headers) for one in (usual, served))
    assert (ours.status, ours.stable_headers) == (theirs.status, theirs.stable_headers)
    if "login" not in path:  # a form has a new token each time
        assert ours.body == theirs.body


def test_an_answer_has_one_date(served: Served) -> None:
    for path in ("/healthz", f"{GRACE}groups/", "/login/", "/static/none.css"):
        assert len(served.ask("GET", path).headers.get_all("Date") or []) == 1


def test_a_repeated_list_is_not_modified_and_its_connection_goes_on(served: Served) -> None:
    tag = served.ask("GET", f"{GRACE}groups/").headers["ETag"]
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        again = {"If-None-Match": tag}
        answers = [
            served.ask_again(connection, "GET", f"{GRACE}groups/", **again) for _ in range(3)
        ]
    assert [(answer.status, answer.body) for answer in answers] == [(304, b"")] * 3
    assert {answer.headers["ETag"] for answer in answers} == {tag}
    assert not any("Content-Length" in answer.headers for answer in answers)


def test_a_ticket_opens_a_socket(served: Served) -> None:
    ticket = requests.post(
        f"{served.url}/api/v1/realtime/ticket/", headers=served.headers, timeout=30
    ).json()["ticket"]

    async def welcome() -> Any:
        async with connect(
            f"ws://127.0.0.1:{served.port}/ws/v1/?ticket={ticket}", proxy=None
        ) as opened:
            return json.loads(await opened.recv())

    assert asyncio.run(welcome())["type"] == "welcome"


def test_a_held_poll_is_answered_by_the_next_event(served: Served) -> None:
    head = requests.get(f"{served.url}{GRACE}events/", headers=served.headers, timeout=30).json()
    path = f"{GRACE}events/?after={head['to']}&wait=20"
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as held:
        held.sendall(served.head("GET", path, "Connection: close"))
        # The server reads requests of one client in any order; this one shows that it is alive.
        assert served.ask("GET", "/healthz").status == 200
        body = {"to": "+13125550177", "text": "News for those who wait"}
        sent = requests.post(
            f"{served.url}{GRACE}messages/", json=body, headers=served.headers, timeout=30
        )
        assert sent.status_code == 202
        answer = b"".join(iter(lambda: held.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"message.created" in answer


def test_polls_of_disconnected_clients_hold_nothing(served: Served) -> None:
    head = requests.get(f"{served.url}{GRACE}events/", headers=served.headers, timeout=30).json()
    request = served.head("GET", f"{GRACE}events/?after={head['to'] + 100}&wait=25")
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as gone:
            gone.sendall(request)
    # The pool of long polls has two threads: a later poll would wait for a long time.
    path = f"{GRACE}events/?after={head['to']}&wait=1"
    answer = requests.get(f"{served.url}{path}", headers=served.headers, timeout=15)
    assert answer.status_code in (200, 304)


def test_many_requests_at_once_get_their_own_answers(served: Served) -> None:
    paths = [f"{GRACE}members/?page_size={size}&fields=id" for size in range(1, 33)]
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda path: served.ask("GET", path).body, paths))
    assert [len(json.loads(answer)["results"]) for answer in answers] == list(range(1, 33))


def test_a_chunked_body_is_read(served: Served) -> None:
    body = json.dumps({"name": ""}).encode()
    answer = served.exchange(
        served.head(
            "POST",
            f"{GRACE}groups/",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
            "Connection: close",
        )
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"name"' in answer


def test_a_body_above_the_limit_is_refused(served: Served) -> None:
    headers = {**served.headers, "Content-Type": "application/json"}
    body = b" " * 7_000_000
    answer = requests.post(f"{served.url}{GRACE}groups/", data=body, headers=headers, timeout=60)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "line", ["Daphne-Root-Path: /evil", "X-Forwarded-Proto: https", "Script_Name: /evil"]
)
def test_a_client_cannot_choose_the_address_of_the_site(served: Served, line: str) -> None:
    name, _, value = line.partition(": ")
    found = served.ask("GET", f"{GRACE}members/?page_size=1", **{name: value})
    assert json.loads(found.body)["next"].startswith(f"{served.url}{GRACE}members/?")
