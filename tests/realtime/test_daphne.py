"""What ``realtime.daphne`` does beyond plain daphne: it writes to the socket itself where it may."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactor

from realtime.daphne import write_now
from tests.certificates import self_signed
from tests.realtime.client import open_socket
from tests.realtime.second_project.processes import APPLICATION, SecondProject, free_port
from tests.waiting import wait_until


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "club.pem")


@pytest.fixture
def secure_port(project: SecondProject, certificate: Path) -> Iterator[int]:
    port = free_port()
    endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    project.servers[port] = project.run("realtime.daphne", "-v", "0", "-e", endpoint, APPLICATION)
    wait_until(lambda: _listens(port))
    yield port
    project.kill(port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_nothing_is_written_past_tls(
    project: SecondProject, secure_port: int, certificate: Path, stream: str, session: str
) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    # daphne tells no scheme of a socket: the origin is that of the page behind it.
    origin = f"http://127.0.0.1:{secure_port}"
    async with open_socket(secure_port, session, tls=context, origin=origin) as ann:
        await ann.subscribe(stream)
        await asyncio.to_thread(project.write, "append", stream, 1, 500, 7)
        assert await ann.numbers_until(stream, 500) == list(range(1, 501))


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """A connection as Twisted has it, and the socket at its other end."""
    ours, theirs = socket.socketpair()
    connection: Any = Connection(ours, Protocol(), MemoryReactor())  # type: ignore[no-untyped-call,arg-type]  # Twisted's interfaces
    connection.connected = True
    with ours, theirs:
        yield connection, theirs


def test_what_the_socket_does_not_take_is_left_to_twisted_and_so_is_all_that_follows(
    ends: tuple[Any, socket.socket],
) -> None:
    connection, theirs = ends
    data = b"much" * 1_000_000
    written = write_now(connection, data)
    assert 0 < written < len(data)
    connection.write(data[written:])
    assert len(theirs.recv(10_000_000)) > 0  # there is room again, and it is not this one's turn
    assert write_now(connection, b"more") == 0


def test_a_client_that_has_gone_is_found_by_the_event_loop(
    ends: tuple[Any, socket.socket],
) -> None:
    connection, theirs = ends
    theirs.close()
    assert write_now(connection, b"anybody?") == 0
