"""TERM to a server: requests finish, held polls are answered, sockets end with 1012, exit code 0."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from realtime import stopping
from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject
from tests.support.waiting import wait_until

LONGEST_WAIT = "25"
RESTART = 1012


@pytest.fixture(params=["daphne", "uvicorn"])
def stopped(project: SecondProject, request: pytest.FixtureRequest) -> Iterator[int]:
    """Start a server for this test; return its port."""
    port = project.serve(request.param)
    yield port
    if port in project.servers:
        project.kill(port)


def poll(port: int, session: str, stream: str, after: int, wait: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    path = f"/events/{stream}/?wait={wait}&after={after}"
    connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
    with closing(connection), connection.getresponse() as answer:
        assert answer.status == 200
        body: dict[str, Any] = json.loads(answer.read())
        return body


def ended(project: SecondProject, port: int) -> int:
    """Return the exit code of the server that a test has stopped."""
    return project.servers.pop(port).wait(stopping.DRAIN_SECONDS + 11)


async def test_a_socket_ends_with_1012_after_the_events_before(
    project: SecondProject, stopped: int, stream: str, session: str
) -> None:
    async with open_socket(stopped, session) as ann:
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 20, 5)
        assert await ann.numbers_until(stream, 20) == list(range(1, 21))
        project.servers[stopped].send_signal(signal.SIGTERM)
        assert await ann.close_code() == RESTART
    assert await asyncio.to_thread(ended, project, stopped) == 0


def test_a_held_poll_is_answered_at_once(
    project: SecondProject, stopped: int, stream: str, session: str
) -> None:
    project.write("append", stream, 1, 3, 3)
    with ThreadPoolExecutor() as threads:
        held = [threads.submit(poll, stopped, session, stream, 3, LONGEST_WAIT) for _ in range(3)]
        # The held requests are on the event loop before a later request is answered.
        for _ in range(3):
            poll(stopped, session, stream, 0, "0")
        assert not any(one.done() for one in held)
        project.servers[stopped].send_signal(signal.SIGTERM)
        assert ended(project, stopped) == 0
        assert [one.result()["events"] for one in held] == [[], [], []]


def test_a_request_whose_body_still_comes_is_finished(project: SecondProject, stopped: int) -> None:
    with socket.create_connection(("127.0.0.1", stopped), timeout=30) as client:
        client.sendall(b"POST /nowhere/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n12")
        wait_until(lambda: is_served(stopped))
        project.servers[stopped].send_signal(signal.SIGTERM)
        wait_until(lambda: not is_served(stopped))
        client.sendall(b"34")
        assert client.makefile("rb").readline().startswith(b"HTTP/1.1 40")
    assert ended(project, stopped) == 0


def test_an_idle_connection_does_not_hold_the_server(project: SecondProject, stopped: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", stopped, timeout=30)) as kept:
        kept.request("GET", "/page/")
        kept.getresponse().read()
        project.servers[stopped].send_signal(signal.SIGTERM)
        assert ended(project, stopped) == 0


def test_a_second_signal_ends_the_server_at_once(project: SecondProject, stopped: int) -> None:
    with socket.create_connection(("127.0.0.1", stopped), timeout=30) as client:
        client.sendall(b"POST /nowhere/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n12")
        wait_until(lambda: is_served(stopped))
        project.servers[stopped].send_signal(signal.SIGTERM)
        wait_until(lambda: not is_served(stopped))
        project.servers[stopped].send_signal(signal.SIGINT)
        assert ended(project, stopped) == 128 + signal.SIGINT


def is_served(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
