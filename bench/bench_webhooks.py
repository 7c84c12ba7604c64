"""Measure the intake of webhooks: ``python bench/bench_webhooks.py [--tree PATH] [--server daphne]``.

It starts PostgreSQL, Valkey and one web process of the tree (no worker) by its public faces only, so that
it drives any build, and posts signed webhooks of Telnyx over kept connections:

* 4,000 webhooks over 16 connections, each answered before the next: the CPU time of the web process for
  each webhook, in several rounds, and the CPU time of PostgreSQL;
* ``--rate 1000``: an open loop, each webhook at its own moment whatever came before: the latency from
  that moment. The latency of a server that falls behind grows.

The bodies are made and signed before the clock starts. At the end every webhook must be a row. uvicorn
runs with httptools where the package is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from urllib.error import URLError

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from delivery_load import telnyx_event  # noqa: E402  # found by the path above
from figures import print_figure, say  # noqa: E402  # found by the path above

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # found by the path above
from tests.support.valkey import ValkeyServer  # noqa: E402  # found by the path above

KEY = Ed25519PrivateKey.generate()
_TICKS = os.sysconf("SC_CLK_TCK")
_STATEMENT = "SELECT count(*) FROM delivery_webhookevent"


@dataclass(frozen=True)
class Web:
    """A running web process, and the database behind it."""

    port: int
    process: subprocess.Popen[bytes]
    database: str

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self.process.pid)

    def database_cpu_seconds(self) -> float:
        """Return the CPU time of the sessions of the web process."""
        with psycopg.connect(self.database) as connection:
            pids = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            ).fetchall()
        return sum(_cpu_seconds(pid) for (pid,) in pids)

    def stored(self) -> int:
        with psycopg.connect(self.database) as connection:
            [count] = connection.execute(_STATEMENT).fetchone() or (0,)
        return int(count)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def web(tree: Path, server: str, options: Sequence[str]) -> Iterator[Web]:
    with tempfile.TemporaryDirectory(prefix="webhooks-") as name:
        directory, port = Path(name), _free_port()
        postgres = EmbeddedPostgres(directory / "postgres")
        valkey = ValkeyServer(_made(directory / "valkey"))
        environment = {
            **os.environ,
            "DATA_DIR": str(_made(directory / "var")),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "SECRET_KEY": "a key of the benchmark" * 4,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TELNYX_API_KEY": "KEY_OF_THE_BENCH",
            "TELNYX_PUBLIC_KEY": base64.b64encode(KEY.public_key().public_bytes_raw()).decode(),
            "LOG_LEVEL": "WARNING",
        }
        manage = [sys.executable, str(tree / "manage.py")]
        migrate = [*manage, "migrate", "-v", "0", "--skip-checks"]
        subprocess.run(migrate, cwd=tree, env=environment, check=True)  # noqa: S603  # the tree under test
        environment["DATABASE_POOL"] = "20"
        command = [*_command(server, port), *options]
        process = subprocess.Popen(command, cwd=tree, env=environment)  # noqa: S603  # the tree under test
        try:
            _wait(lambda: _answers(port) or process.poll() is not None)
            yield Web(port, process, postgres.url)
        finally:
            process.terminate()
            process.wait(20)
            valkey.stop()
            postgres.stop("immediate")


def _command(server: str, port: int) -> list[str]:
    if server == "daphne":
        return [
            sys.executable, "-m", "realtime.daphne", "--bind", "127.0.0.1", "--port", str(port),
            "--verbosity", "0", "--no-server-name", "koinonia.asgi:application",
        ]  # fmt: skip
    http = "httptools" if find_spec("httptools") else "h11"
    return [
        sys.executable, "-m", "uvicorn", "koinonia.asgi:application", "--host", "127.0.0.1",
        "--port", str(port), "--http", http, "--loop", "asyncio", "--no-access-log",
        "--no-date-header", "--no-server-header", "--lifespan", "off", "--log-level", "warning",
    ]  # fmt: skip


def _made(directory: Path) -> Path:
    directory.mkdir(mode=0o700)
    return directory


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _wait(condition: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"The condition was not met within {seconds} s.")
        time.sleep(0.05)


def requests(count: int, port: int) -> list[bytes]:
    """Return signed webhooks as they go over the wire."""
    made = []
    for number in range(count):
        step = ("message.sent", "sent") if number % 2 else ("message.finalized", "delivered")
        body = json.dumps(telnyx_event(str(uuid.uuid4()), *step)).encode()
        at = str(int(time.time()))
        signature = base64.b64encode(KEY.sign(at.encode() + b"|" + body)).decode()
        head = (
            f"POST /webhooks/telnyx/m{number + 1}/ HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            "user-agent: telnyx-webhooks\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\ntelnyx-timestamp: {at}\r\n"
            f"telnyx-signature-ed25519: {signature}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Connection(asyncio.Protocol):
    """A kept connection with at most one request on its way."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def post(self, request: bytes) -> int:
        """Return the status of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._received = b""
        self._transport.write(request)  # type: ignore[attr-defined]  # a transport for writing
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._answer is None or self._answer.done():
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) >= int(length or 0):
            self._answer.set_result(int(head.split(b" ", 2)[1]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)


async def _connections(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, "127.0.0.1", port) for _ in range(count)]
    return [protocol for _, protocol in made]


async def closed_loop(port: int, waiting: list[bytes], connections: int) -> list[int]:
    """Post all; each connection waits for its answer before the next."""
    statuses = []

    async def work(connection: Connection) -> None:
        while waiting:
            statuses.append(await connection.post(waiting.pop()))

    await asyncio.gather(*map(work, await _connections(port, connections)))
    return statuses


async def open_loop(
    port: int, waiting: list[bytes], rate: float, connections: int
) -> list[tuple[float, int]]:
    """Post each at its moment, on a connection that is free; return latency and status of each."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in await _connections(port, connections):
        free.put_nowait(connection)
    found: list[tuple[float, int]] = []
    start = time.perf_counter() + 0.1

    async def post(due: float, request: bytes) -> None:
        connection = await free.get()
        status = await connection.post(request)
        found.append((time.perf_counter() - due, status))
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as running:
        for number, request in enumerate(waiting):
            due = start + number / rate
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            running.create_task(post(due, request))
    return found


def measure_cpu(site: Web, options: argparse.Namespace) -> float:
    """Return the CPU time of the web process for each webhook, in ms."""
    asyncio.run(closed_loop(site.port, requests(400, site.port), options.connections))
    values, expected = [], site.stored()
    for number in range(options.rounds):
        waiting = requests(options.count, site.port)
        before, database, start = site.cpu_seconds(), site.database_cpu_seconds(), time.monotonic()
        statuses = asyncio.run(closed_loop(site.port, waiting, options.connections))
        taken = time.monotonic() - start
        values.append((site.cpu_seconds() - before) * 1000 / options.count)
        in_database = (site.database_cpu_seconds() - database) * 1000 / options.count
        refused = len(statuses) - statuses.count(200)
        expected += options.count
        say(
            f"  round {number + 1}: web {values[-1]:.2f} ms, PostgreSQL {in_database:.2f} ms of CPU for "
            f"each; {options.count / taken:.0f}/s; {refused} refused; "
            f"{site.stored() - expected:+} rows"
        )
    return median(values)


def measure_latency(site: Web, options: argparse.Namespace) -> None:
    asyncio.run(closed_loop(site.port, requests(400, site.port), options.connections))
    before, cpu = site.stored(), site.cpu_seconds()
    waiting = requests(int(options.rate * options.seconds), site.port)
    found = asyncio.run(open_loop(site.port, waiting, options.rate, options.open_connections))
    busy = (site.cpu_seconds() - cpu) / options.seconds
    latencies = sorted(latency for latency, _ in found)
    refused = sum(status != 200 for _, status in found)
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    missing = len(waiting) - (site.stored() - before)
    say(
        f"  {options.rate:.0f}/s for {options.seconds:.0f} s: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest "
        f"{latencies[-1] * 1000:.0f} ms; {refused} refused, {missing} not stored; the web process was "
        f"{busy:.0%} busy"
    )
    print_figure("webhook_p99", p99, "ms")
    print_figure("webhook_refused", refused + missing, "count")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout to measure")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), action="append")
    parser.add_argument("--count", type=int, default=4000, help="webhooks of one round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--rate", type=float, default=0, help="also an open loop, webhooks per second"
    )
    parser.add_argument("--seconds", type=float, default=10, help="length of the open loop")
    parser.add_argument("--open-connections", type=int, default=64)
    parser.add_argument("--server-option", action="append", default=[])
    options = parser.parse_args()
    for server in options.server or ["daphne", "uvicorn"]:
        say(f"{server}, {options.tree}")
        with web(options.tree.resolve(), server, options.server_option) as site:
            if options.rounds:
                print_figure(f"webhook_cpu_{server}", measure_cpu(site, options), "ms")
            if options.rate:
                measure_latency(site, options)


if __name__ == "__main__":
    main()
