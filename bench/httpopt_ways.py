"""Two ways to send requests: in this process, and over one keep-alive connection to a separate daphne."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from httpopt_stacks import STACKS

BENCH = Path(__file__).parent
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    etag: str
    size: int
    """Bytes of the encoded body."""


class Way(Protocol):
    def ask(self, path: str, headers: dict[str, str]) -> Answer: ...

    def cpu(self) -> float:
        """Return the CPU seconds of the answering process since its start."""


class InProcess:
    def __init__(self, token: str, stack: str) -> None:
        from django.conf import settings
        from django.test import Client, override_settings

        self._client = Client(headers={"Authorization": f"Bearer {token}"})
        with override_settings(MIDDLEWARE=STACKS.get(stack, settings.MIDDLEWARE)):
            self._client.handler.load_middleware()

    def ask(self, path: str, headers: dict[str, str]) -> Answer:
        answer = self._client.get(path, headers=headers)
        return Answer(answer.status_code, answer.get("ETag", ""), len(answer.content))

    def cpu(self) -> float:
        return time.process_time()


class Daphne:
    """The ASGI application of the project on daphne, with the middleware of one stack."""

    def __init__(self, token: str, stack: str) -> None:
        self._port = _free_port()
        self._token = token
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(BENCH), str(BENCH.parent), os.environ.get("PYTHONPATH", "")]
            ),
            "BENCH_STACK": stack if stack in STACKS else "",
            "HTTPOPT_ENABLED": "0" if stack == "switched off" else "1",
        }
        command = [
            sys.executable, "-m", "realtime.daphne", "-b", "127.0.0.1", "-p", str(self._port),
            "--verbosity", "0", "--no-server-name", "koinonia.asgi:application",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, env=environment)  # noqa: S603 -- a program of this project
        self._clock = (~self._process.pid << 3) | 2
        """The Linux CPU clock of another process: clock_getcpuclockid(3)."""
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", self._port)):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError("A daphne of the benchmark did not start.")
                time.sleep(0.1)
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)

    def ask(self, path: str, headers: dict[str, str]) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", **headers}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        return Answer(answer.status, answer.headers.get("ETag", ""), len(body))

    def cpu(self) -> float:
        return time.clock_gettime(self._clock)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
