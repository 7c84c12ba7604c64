"""Two web processes behind nginx, two workers, PostgreSQL, Redis and the carrier, on one machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from delivery.worker.parent_death import dies_with_us
from tests.support.certificates import self_signed
from tests.support.nginx import Nginx, site
from tests.support.running_system import PASSWORD, ROOT, free_port
from tests.support.waiting import wait_until

_START_SECONDS = 90
_STOP_SECONDS = 20


@dataclass
class Process:
    """A web process, a worker or the carrier. ``address`` is where it answers."""

    name: str
    address: str
    arguments: list[str]
    environment: dict[str, str]
    log: Path
    tree: Path = ROOT
    """The source of the release that it runs."""
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=self.tree,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_us(),
            )

    def stop(self) -> int:
        """Send TERM, and return the exit code."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(_STOP_SECONDS)

    def replace(self, tree: Path) -> None:
        """Stop the process, and start it with the release in ``tree``."""
        self.stop()
        self.tree = tree
        self.start()

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def asks(self, path: str) -> requests.Response | None:
        """Ask the process directly; return its answer, or None without one."""
        assert self._running is not None
        assert self._running.poll() is None, (
            f"{self.name} has ended:\n{self.log.read_text()[-4000:]}"
        )
        try:
            return requests.get(f"http://{self.address}{path}", timeout=5)
        except requests.RequestException:
            return None

    def is_ready(self) -> bool:
        answer = self.asks("/readyz")
        return answer is not None and answer.status_code == 200


class RollingSite:
    """``with RollingSite(...) as site``: everything runs. ``tree`` is the source of the first release."""

    def __init__(
        self,
        directory: Path,
        database: str,
        redis: str,
        tree: Path = ROOT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.certificate = self_signed(directory / "site.pem")
        self._directory, self._tree = directory, tree
        self.password = PASSWORD
        secure = free_port()
        self.url = f"https://127.0.0.1:{secure}"
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        self._environment = {
            **inherited,
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database,
            "DATABASE_POOL": "10",
            "REDIS_URL": redis,
            "SECRET_KEY": "only-for-the-rolling-site-of-the-tests-0123456789-0123456789",
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "TRUSTED_PROXIES": "127.0.0.1",
            "DEMO_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SSL_CERT_FILE": str(self.certificate),
            "REQUESTS_CA_BUNDLE": str(self.certificate),
            "DELIVERY_ACCOUNT_RATE": "100",
            "DELIVERY_SENDER_RATE": "100",
            "DELIVERY_DAILY_PARTS": "none",
            "LOG_FORMAT": "json",
            **(environment or {}),
        }
        (directory / "data").mkdir()
        self._control = free_port()
        self.carrier = self._process(
            "carrier", free_port(), "manage.py", "simulator", "telnyx", "--port", "{port}",
            "--control-port", str(self._control), "--webhook-url", f"{self.url}/webhooks/telnyx/",
            "--latency-ms", "20",
        )  # fmt: skip
        self.carrier.tree = ROOT
        self.webs = [
            self._process(
                f"web{number}", free_port(), "-m", "realtime.daphne", "--bind", "127.0.0.1",
                "--port", "{port}", "--verbosity", "0", "--no-server-name",
                "koinonia.asgi:application",
            )
            for number in (1, 2)
        ]  # fmt: skip
        self.workers = [
            self._process(f"worker{number}", free_port(), "manage.py", "worker")
            for number in (1, 2)
        ]
        for worker in self.workers:
            worker.environment["WORKER_METRICS"] = worker.address
        ports = [int(web.address.rpartition(":")[2]) for web in self.webs]
        text = site(ports, free_port(), secure, self.certificate)
        self.nginx = Nginx(directory / "nginx", text, secure)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._kill_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            for process in [*self.workers, *self.webs]:
                process.stop()
        self._kill_all()

    @property
    def _processes(self) -> Iterator[Process]:
        yield from [*self.webs, *self.workers, self.carrier]

    def _start(self) -> None:
        self.carrier.start()
        if self._tree != ROOT:
            self.manage(self._tree, "collectstatic", "--noinput", "--verbosity", "0")
        self.manage(self._tree, "migrate", "--verbosity", "0")
        self.manage(self._tree, "seed_demo")
        told = self._directory / "data" / "simulator.json"
        wait_until(told.exists, _START_SECONDS)
        simulator = json.loads(told.read_text())
        for process in self._processes:
            process.environment |= {
                "TELNYX_API_KEY": simulator["api_key"],
                "TELNYX_API_BASE": simulator["base"],
                "TELNYX_PUBLIC_KEY": simulator["public_key"],
            }
        for process in [*self.webs, *self.workers]:
            process.start()
        self.nginx.__enter__()
        wait_until(lambda: all(web.is_ready() for web in self.webs), _START_SECONDS)

    def _kill_all(self) -> None:
        for process in self._processes:
            process.kill()
        if hasattr(self.nginx, "process"):
            self.nginx.__exit__()

    def manage(self, tree: Path, *arguments: str) -> str:
        """Run ``manage.py`` of the release in ``tree``, and return its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=tree, env=self._environment, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def carrier_control(self, method: str, path: str, body: object = None) -> Any:
        address = f"http://127.0.0.1:{self._control}{path}"
        answer = requests.request(method, address, json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _process(self, name: str, port: int, *arguments: str) -> Process:
        told = [argument.format(port=port) for argument in arguments]
        environment, log = dict(self._environment), self._directory / f"{name}.log"
        return Process(name, f"127.0.0.1:{port}", told, environment, log, self._tree)
