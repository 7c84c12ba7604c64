"""The whole running system: ``manage.py up`` in a separate directory."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import requests

from tests.support import prepared_data

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a password for the demo users"
_START_SECONDS = 180
_STOP_SECONDS = 90
_OF_THE_TEST_RUN = (
    "DATA_DIR", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE",
)  # fmt: skip


class RunningSystem:
    """``with RunningSystem(tmp_path) as system: requests.get(system.url)``.

    It starts from prepared data, unless it has a settings module, which may have other tables.
    """

    _prepared = True

    def __init__(self, data_dir: Path, *arguments: str, **environment: str) -> None:
        self.data_dir = data_dir
        port, simulator_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.password = PASSWORD
        self._command = [
            sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port),
            "--simulator-port", str(simulator_port), "--data-dir", str(data_dir), *arguments,
        ]  # fmt: skip
        inherited = {
            name: value for name, value in os.environ.items() if name not in _OF_THE_TEST_RUN
        }
        self._environment = {**inherited, "DEMO_PASSWORD": PASSWORD, **environment}

    def start(self) -> None:
        if self._prepared and "DJANGO_SETTINGS_MODULE" not in self._environment:
            prepared_data.fill(self.data_dir, self._environment)
        self.log = self.data_dir.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def stop(self) -> int:
        """Send TERM and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def token(self, username: str) -> str:
        body = {"username": username, "password": self.password}
        answer = requests.post(f"{self.url}/api/v1/auth/login/", json=body, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["token"])

    @property
    def environment_beside(self) -> dict[str, str]:
        """Return the environment of a command or server beside this system."""
        return {**self._environment, "DATA_DIR": str(self.data_dir)}

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` beside the system and return its output."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=ROOT,
            env=self.environment_beside,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def simulator(self) -> dict[str, Any]:
        """Return ``base``, ``api_key``, ``public_key`` and ``control`` of the simulator."""
        found: dict[str, Any] = json.loads((self.data_dir / "simulator.json").read_text())
        return found

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"The system did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=60).status_code == 200
        except requests.RequestException:
            return False


class ColdSystem(RunningSystem):
    """A system that begins with an empty directory, as on a new machine."""

    _prepared = False


def free_port() -> int:
    """Return a free port below the ephemeral ones, because a connection may take one of those."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def database_environment() -> dict[str, str]:
    """Return ``DATABASE_URL`` of a new PostgreSQL database, or nothing in a run on SQLite."""
    server = os.environ.get("KOINONIA_TEST_POSTGRES")
    if server is None:
        return {}
    name = f"system_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": server.rsplit("/", 1)[0] + f"/{name}"}
