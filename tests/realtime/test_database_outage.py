"""Sockets and held polls while the database is away: no trace, one line, and nothing is missed afterwards."""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import SecondProject
from tests.support.waiting import wait_until

INTERNAL_ERROR = 1011


class Way:
    """The way of a server to its database: a link to the folder of the file or of the server's socket."""

    def __init__(self, link: Path, database: str) -> None:
        url = urlsplit(database)
        self._link = link
        if url.scheme == "sqlite":
            self._target = Path(url.path[1:]).parent
            self.url = f"sqlite:///{link / Path(url.path).name}"
        else:
            self._target = Path(unquote(url.hostname or ""))
            self.url = database.replace(url.hostname or "", quote(str(link), safe=""))
        self.restore()

    def cut(self) -> None:
        self._link.unlink()

    def restore(self) -> None:
        self._link.symlink_to(self._target)


@pytest.fixture
def way(project: SecondProject, tmp_path: Path) -> Way:
    return Way(tmp_path / "way", project.environment["PROJECT_DATABASE"])


@pytest.fixture(params=["daphne", "uvicorn"])
def watched(
    project: SecondProject, way: Way, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[int, Path]]:
    """Run a server that reaches the database by ``way``; yield its port and its log."""
    log = tmp_path / "log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    other = project.beside(PROJECT_DATABASE=way.url)
    port = other.serve(request.param, stderr=descriptor)
    os.close(descriptor)
    yield port, log
    other.kill(port)


async def test_a_socket_gets_the_events_of_an_outage_afterwards(
    project: SecondProject, watched: tuple[int, Path], way: Way, stream: str, session: str
) -> None:
    port, log = watched
    async with open_socket(port, session) as ann:
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 2, 1)
        # The server has read the stream once, so that the next read finds what is new.
        assert await ann.numbers_until(stream, 2) == [1, 2]
        way.cut()
        await asyncio.to_thread(project.write, "append", stream, 3, 3, 3)
        async with open_socket(port, session) as late:
            assert await late.close_code() == INTERNAL_ERROR
        way.restore()
        assert await ann.numbers_until(stream, 5) == [1, 2, 3, 4, 5]
    lines = [line for line in log.read_text().splitlines() if line]
    assert len(lines) == 1
    assert lines[0].endswith("The database is away: events wait")


async def test_a_subscription_of_an_outage_closes_its_socket(
    watched: tuple[int, Path], way: Way, stream: str, session: str
) -> None:
    port, log = watched
    async with open_socket(port, session) as ann:
        assert await ann.first() == "welcome"
        way.cut()
        await ann.say(type="subscribe", stream=stream)
        assert await ann.close_code() == INTERNAL_ERROR
    way.restore()
    assert "Traceback" not in log.read_text()
    async with open_socket(port, session) as ann:
        assert (await ann.subscribe(stream))["type"] == "subscribed"


def test_a_poll_that_is_held_in_an_outage_ends_with_an_error(
    watched: tuple[int, Path], way: Way, stream: str, session: str
) -> None:
    port, _ = watched
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as poll:
        path = f"/events/{stream}/?wait=3&after=0"
        poll.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        wait_until(lambda: asks(port, session, stream))
        way.cut()
        # This project has no answer of its own for an outage; koinonia answers 503.
        assert poll.getresponse().status == 500
    way.restore()
    assert asks(port, session, stream)


def asks(port: int, session: str, stream: str) -> bool:
    """Return whether a poll that does not wait is answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        cookie = {"Cookie": f"sessionid={session}"}
        client.request("GET", f"/events/{stream}/?after=0", headers=cookie)
        return client.getresponse().status == 200
