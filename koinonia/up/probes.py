"""Checks that a part is ready, and that a port is free."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from koinonia.config import kept_values

Check = Callable[[], Awaitable[bool]]

_TIMEOUT = 2.0
_POLL_SECONDS = 0.05


def answers_ping(path: Path) -> Check:
    """Return a check that Valkey listens on the socket ``path`` and has loaded its data."""

    async def check() -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await asyncio.wait_for(reader.readline(), _TIMEOUT)
        writer.close()
        return answer.startswith(b"+PONG")

    return check


def answers_200(host: str, port: int, path: str) -> Check:
    def get() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    async def check() -> bool:
        return await asyncio.to_thread(get)

    return check


def finds_unmigrated(host: str, port: int) -> Check:
    """Return a check that waits for ``/readyz``, and then says whether the database needs migrate."""

    def get() -> bool | None:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        try:
            connection.request("GET", "/readyz")
            parts = json.loads(connection.getresponse().read())["parts"]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return None
        finally:
            connection.close()
        return any(parts[name] != "ok" for name in ("migrations", "versions"))

    async def check() -> bool:
        while True:
            found = await asyncio.to_thread(get)
            if found is not None:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    return check


def has_written(data_dir: Path) -> Check:
    """Return a check that the simulator listens: it then writes its values to ``data_dir``."""

    async def check() -> bool:
        return bool(kept_values.simulator(data_dir))

    return check


def once_started() -> Check:
    async def check() -> bool:
        return True

    return check


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on this port."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True
