"""The second project as real processes: servers, and a writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from copy import copy
from pathlib import Path
from typing import Any, Literal

from delivery.worker.parent_death import die_with_parent
from tests.support.running_system import free_port
from tests.support.valkey import ValkeyServer

APPLICATION = "tests.realtime.second_project.asgi:application"
ROOT = Path(__file__).resolve().parents[3]
Server = Literal["daphne", "uvicorn", "plain daphne", "plain uvicorn"]


class SecondProject:
    """``write(function, *arguments)`` runs a function of ``second_project/writer.py`` in the writer."""

    def __init__(self, database: str, redis_url: str = "", **environment: str) -> None:
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.realtime.second_project.settings",
            "PROJECT_DATABASE": database,
            "PROJECT_REDIS_URL": redis_url,
            **environment,
        }
        self.valkey: ValkeyServer | None = None
        self.servers: dict[int, subprocess.Popen[bytes]] = {}
        self._writer = self.run(
            "tests.realtime.second_project.writer",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.write("migrate")

    def run(self, module: str, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.environment,
            preexec_fn=die_with_parent,
            **options,
        )

    def write(self, function: str, *arguments: Any) -> Any:
        assert self._writer.stdin is not None
        assert self._writer.stdout is not None
        self._writer.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._writer.stdin.flush()
        line = self._writer.stdout.readline()
        assert line, f"{function} failed in the writer; see its traceback."
        return json.loads(line)

    def serve(self, server: Server = "daphne", port: int | None = None, **options: Any) -> int:
        """Start a server; return its port."""
        port = port or free_port()
        of_daphne = ("-v", "0", "-b", "127.0.0.1", "-p", str(port), APPLICATION)
        of_uvicorn = ("--log-level", "warning", "--port", str(port), "--ws-max-size", "1048576", APPLICATION)  # fmt: skip
        command = {
            "daphne": ("realtime.daphne", *of_daphne),
            "plain daphne": ("daphne", *of_daphne),
            "uvicorn": ("uvicorn", "--ws", "realtime.uvicorn:PatientProtocol", *of_uvicorn),
            "plain uvicorn": ("uvicorn", *of_uvicorn),
        }
        self.servers[port] = self.run(*command[server], **options)
        _wait_for_answer(port)
        return port

    def kill(self, port: int) -> None:
        process = self.servers.pop(port)
        process.kill()
        process.wait()

    def beside(self, **environment: str) -> SecondProject:
        """Return a copy that serves the same project with other settings and has no writer."""
        other = copy(self)
        other.environment = {**self.environment, **environment}
        other.servers = {}
        return other

    def close_servers(self) -> None:
        for port in list(self.servers):
            self.kill(port)

    def close(self) -> None:
        self.close_servers()
        assert self._writer.stdin is not None
        assert self._writer.stdout is not None
        self._writer.stdin.close()
        self._writer.wait(30)
        self._writer.stdout.close()


def _wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/page/", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
