"""The programs of one build of Koinonia, started through its public faces.

``Build`` knows where builds differ: ``--tree`` of a benchmark may name another checkout, such as that of
the last release. The simulator is always the one of this tree: its cost is then the same for both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests

from delivery.worker.parent_death import die_with_parent
from tests.support.certificates import self_signed
from tests.support.nginx import Nginx, site
from tests.support.postgres import EmbeddedPostgres
from tests.support.running_system import free_port
from tests.support.valkey import ValkeyServer

THIS_TREE = Path(__file__).parent.parent
PASSWORD = "a password for the demo users"  # noqa: S105  # of a system that lives for a minute
LATENCY_MS = 20
_READY_SECONDS = 90
_STOP_SECONDS = 40
_NO_LIMITS = {
    "THROTTLING_ENABLED": "0",
    "DELIVERY_ACCOUNT_RATE": "100000",
    "DELIVERY_SENDER_RATE": "100000",
    "DELIVERY_DAILY_PARTS": "none",
    "DELIVERY_COUNTRIES": "*",
}
_OF_THE_CALLER = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "DATA_DIR")


@dataclass(frozen=True)
class Build:
    """A checkout, and the commands that it offers."""

    tree: Path
    python: str = sys.executable

    def manage(self, *arguments: str) -> list[str]:
        return [self.python, str(self.tree / "manage.py"), *arguments]

    def web(self, server: str, port: int) -> list[str]:
        """Return the command line of a web process, as the handbook of the build names it."""
        if server == "uvicorn":
            sockets = (
                ["--ws", "realtime.uvicorn:PatientProtocol"]
                if self._has("realtime/uvicorn.py")
                else []
            )
            return [
                self.python, "-m", "uvicorn", "koinonia.asgi:application", "--host", "127.0.0.1",
                "--port", str(port), "--log-level", "warning", "--no-access-log", "--lifespan", "off",
                "--timeout-keep-alive", "75", *sockets,
            ]  # fmt: skip
        module = "realtime.daphne" if self._has("realtime/daphne.py") else "daphne"
        return [
            self.python, "-m", module, "--bind", "127.0.0.1", "--port", str(port), "--verbosity", "0",
            "--no-server-name", "koinonia.asgi:application",
        ]  # fmt: skip

    def worker(self) -> list[str]:
        return self.manage("worker", "--clusters", "1")

    def _has(self, file: str) -> bool:
        return (self.tree / file).exists()


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The parts of a system."""

    database: str = "postgres"
    server: str = "daphne"
    webs: int = 1
    nginx: bool = False
    profile: bool = False
    """Count the statements of PostgreSQL by ``pg_stat_statements``."""


@dataclass
class Parts:
    """A running system: its addresses, and the root processes of each group."""

    directory: Path
    url: str = ""
    control: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    build: Build = field(default_factory=lambda: Build(THIS_TREE))
    processes: dict[str, list[int]] = field(default_factory=dict)
    verify: str | bool = True
    database_url: str = ""
    postgres: EmbeddedPostgres | None = None

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` of the build, and return its output."""
        done = subprocess.run(  # noqa: S603  # a file of the checkout
            self.build.manage(*arguments), cwd=self.build.tree, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def ledger(self, path: str = "/ledger/summary") -> dict[str, Any]:
        found: dict[str, Any] = requests.get(self.control + path, timeout=30).json()
        return found


@contextmanager
def running_parts(build: Build, setup: Setup, directory: Path) -> Iterator[Parts]:
    """Run database, Valkey, simulator, web, worker and nginx of one build until the end of the block."""
    parts = Parts(directory, build=build)
    with ExitStack() as stack:
        _start_services(parts, setup, stack)
        ports = [free_port() for _ in range(setup.webs)]
        behind_nginx = setup.nginx or setup.webs > 1
        secure = free_port()
        parts.url = (
            f"https://127.0.0.1:{secure}" if behind_nginx else f"http://127.0.0.1:{ports[0]}"
        )
        parts.environment["PUBLIC_URL"] = parts.url
        if behind_nginx:
            _trust_own_certificate(parts)
        parts.manage("migrate", "--noinput", "--verbosity", "0")
        parts.manage("seed_demo")
        _start_simulator(parts, stack)
        webs = [_start(stack, parts, f"web{port}", build.web(setup.server, port)) for port in ports]
        parts.processes["web"] = [process.pid for process in webs]
        for port, process in zip(ports, webs, strict=True):
            _wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, parts)
        if behind_nginx:
            file = site(ports, free_port(), secure, directory / "site.pem")
            proxy = stack.enter_context(Nginx(directory / "nginx", file, secure))
            parts.processes["nginx"] = [proxy.process.pid]
        worker = _start(stack, parts, "worker", build.worker())
        parts.processes["worker"] = [worker.pid]
        yield parts


def _start_services(parts: Parts, setup: Setup, stack: ExitStack) -> None:
    data_dir = parts.directory / "var"
    data_dir.mkdir(mode=0o700)
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER}
    parts.environment = inherited | _NO_LIMITS | {
        "DATA_DIR": str(data_dir),
        "SECRET_KEY": "only-for-benchmarks-and-long-enough-to-please-the-checks-0123456789",
        "DEMO_PASSWORD": PASSWORD,
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    valkey = ValkeyServer(parts.directory)
    stack.callback(valkey.stop)
    parts.environment["REDIS_URL"] = valkey.url
    parts.processes["Redis"] = [valkey.process.pid]
    if setup.database == "postgres":
        server = EmbeddedPostgres(parts.directory / "postgres")
        parts.postgres = server
        stack.callback(server.stop)
        if setup.profile:
            _count_statements(server)
        parts.environment["DATABASE_URL"] = parts.database_url = server.url
        pid_file = server.directory / "data" / "postmaster.pid"
        parts.processes["PostgreSQL"] = [int(pid_file.read_text().split()[0])]


def _count_statements(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        connection.execute("ALTER SYSTEM SET track_io_timing = on")
    server.stop()
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")


def _trust_own_certificate(parts: Parts) -> None:
    certificate = str(self_signed(parts.directory / "site.pem"))
    parts.environment |= {
        "TRUSTED_PROXIES": "127.0.0.1",
        "SSL_CERT_FILE": certificate,
        "REQUESTS_CA_BUNDLE": certificate,
    }
    parts.verify = certificate


def _start_simulator(parts: Parts, stack: ExitStack) -> None:
    command = Build(THIS_TREE).manage(
        "telnyx_simulator", "--port", str(free_port()), "--latency-ms", str(LATENCY_MS),
        "--rate", "100000", "--webhook-url", f"{parts.url}/webhooks/telnyx/",
    )  # fmt: skip
    process = _start(stack, parts, "simulator", command, THIS_TREE)
    parts.processes["simulator"] = [process.pid]
    file = Path(parts.environment["DATA_DIR"]) / "simulator.json"
    _wait_for(file.exists, process, parts)
    kept: Mapping[str, str] = json.loads(file.read_text())
    parts.control = kept["control"]
    parts.environment |= {
        "TELNYX_API_KEY": kept["api_key"],
        "TELNYX_API_BASE": kept["base"],
        "TELNYX_PUBLIC_KEY": kept["public_key"],
    }


def _start(
    stack: ExitStack, parts: Parts, name: str, command: Sequence[str], tree: Path | None = None
) -> subprocess.Popen[bytes]:
    log = stack.enter_context((parts.directory / f"{name}.log").open("wb"))
    process = subprocess.Popen(  # noqa: S603  # a command of the checkout
        command, cwd=tree or parts.build.tree, env=parts.environment, stdout=log, stderr=log,
        preexec_fn=die_with_parent,  # no thread has started yet
    )  # fmt: skip
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], parts: Parts) -> None:
    def is_ready() -> bool:
        try:
            return requests.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    _wait_for(is_ready, process, parts)


def _wait_for(condition: Any, process: subprocess.Popen[bytes], parts: Parts) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            logs = "\n".join(path.read_text()[-2000:] for path in parts.directory.glob("*.log"))
            raise RuntimeError(f"A part did not start:\n{logs}")
        time.sleep(0.1)
