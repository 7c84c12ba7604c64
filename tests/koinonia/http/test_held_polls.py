"""Long polls beside other requests, on a running system."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from tests.support.running_system import RunningSystem, database_environment
from tests.support.waiting import wait_until
from tests.up.descendants import one

POLLS = 60
POOL = 5
"""The database connections of the web process, far fewer than polls."""
MORE_THREADS = 20
"""The pools may grow to their size. A thread for each poll would add 60."""


class System:
    def __init__(self, running: RunningSystem) -> None:
        self.url = running.url
        self.log = running.data_dir / "logs" / "web.log"
        self.database = urlsplit(running.environment_beside.get("DATABASE_URL", "")).path[1:]
        self.headers = {"Authorization": f"Bearer {running.token('grace-sender')}"}
        self.web = one(running.data_dir, "realtime.daphne")

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}/api/v1/{path}", headers=self.headers, timeout=30)

    def send_text(self) -> None:
        body = {"to": "+13125550177", "text": "News for those who wait"}
        path = f"{self.url}/api/v1/churches/grace/messages/"
        requests.post(path, json=body, headers=self.headers, timeout=30).raise_for_status()

    def hold_poll(self, after: int, wait: int = 25) -> socket.socket:
        """Send a long poll and return its socket without waiting for the answer."""
        host, port = self.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)), timeout=60)
        path = f"/api/v1/churches/grace/events/?after={after}&wait={wait}"
        token = self.headers["Authorization"]
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {token}\r\n\r\n"
        waiting.sendall(head.encode())
        return waiting

    def end_connections(self) -> None:
        """End the connections of the system, and let the database refuse new ones."""
        with psycopg.connect(os.environ["KOINONIA_TEST_POSTGRES"], autocommit=True) as server:
            server.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self.database],
            )

    def allow_connections(self) -> None:
        with psycopg.connect(os.environ["KOINONIA_TEST_POSTGRES"], autocommit=True) as server:
            server.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.web}/task"))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    environment = {"DATABASE_POOL": str(POOL), "THROTTLING_ENABLED": "0", **database_environment()}
    data_dir: Path = tmp_path_factory.mktemp("held") / "var"
    with RunningSystem(data_dir, **environment) as running:
        yield System(running)


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    """Yield a stack that closes the sockets of the test."""
    with ExitStack() as opened:
        yield opened


def hold_polls(system: System, sockets: ExitStack) -> list[socket.socket]:
    """Return many polls that wait for the same stream."""
    head = system.get("churches/grace/events/").json()["to"]
    polls = [sockets.enter_context(system.hold_poll(head)) for _ in range(POLLS)]
    # The same few threads start the polls in turn: when this later poll returns, all are held.
    system.get(f"churches/grace/events/?after={head}&wait=1").raise_for_status()
    return polls


def test_a_held_poll_uses_no_thread(system: System, sockets: ExitStack) -> None:
    for _ in range(3):
        system.get("me/")
    before = system.threads()
    hold_polls(system, sockets)
    assert system.threads() - before <= MORE_THREADS


def test_others_are_served_while_more_polls_are_held_than_there_are_connections(
    system: System, sockets: ExitStack
) -> None:
    hold_polls(system, sockets)
    answers = [system.get("churches/grace/messages/") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}


def test_each_held_poll_gets_its_events_when_all_end_at_once(
    system: System, sockets: ExitStack
) -> None:
    polls = hold_polls(system, sockets)
    before = system.threads()
    system.send_text()
    answers = [poll.recv(65_536) for poll in polls]
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
    assert all(b"message.created" in answer for answer in answers)
    assert system.threads() - before <= MORE_THREADS


def test_polls_of_disconnected_clients_release_their_threads(
    system: System, sockets: ExitStack
) -> None:
    before = system.threads()
    for poll in hold_polls(system, sockets):
        poll.close()
    wait_until(lambda: system.threads() - before <= MORE_THREADS)
    assert system.get("churches/grace/messages/").status_code == 200


def test_polls_that_are_held_in_an_outage_get_503_and_the_log_one_line(
    system: System, sockets: ExitStack
) -> None:
    if not system.database:
        pytest.skip("The file of SQLite does not go away.")
    head = system.get("churches/grace/events/").json()["to"]
    polls = [sockets.enter_context(system.hold_poll(head, wait=3)) for _ in range(3)]
    # The same few threads start the polls in turn: when this later poll returns, all are held.
    system.get(f"churches/grace/events/?after={head}&wait=1").raise_for_status()
    system.end_connections()
    sockets.callback(system.allow_connections)
    for poll in polls:
        answer = http.client.HTTPResponse(poll)
        answer.begin()
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert b"Service Unavailable" in answer.read()
    log = system.log.read_text()
    assert log.count("database_away") == 1
    assert "Traceback" not in log
    system.allow_connections()
    wait_until(lambda: system.get("churches/grace/messages/").status_code == 200)
