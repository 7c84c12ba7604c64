"""The cluster: its hosts, the programs on them, and their environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import requests

from tests.cluster.hosts import Part
from tests.cluster.namespaces import Network
from tests.cluster.postgres import Pair, Server
from tests.cluster.redis import Watched
from tests.support import nginx
from tests.support.certificates import self_signed
from tests.support.running_system import PASSWORD, ROOT
from tests.support.waiting import wait_until

PUBLIC_NUMBER = 10
"""The address that clients and the carrier use; it belongs to one of the proxies."""
_NUMBERS = {
    "edge1": 11, "edge2": 12, "web1": 21, "web2": 22, "web3": 23,
    "worker1": 31, "worker2": 32, "worker3": 33, "db1": 41, "db2": 42,
    "redis1": 51, "redis2": 52, "redis3": 53, "carrier": 60, "clients": 70,
}  # fmt: skip
_CONTROL = 8901


class Cluster:
    """``with Cluster() as cluster``: everything runs and is ready; afterwards nothing is left."""

    def __init__(self, **environment: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="koinonia-cluster-"))
        self.directory.chmod(0o711)
        self.network = Network()
        self._given = environment

    def __enter__(self) -> Self:
        try:
            self._build()
            self._start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _build(self) -> None:
        network, directory = self.network, self.directory
        self.addresses = {name: network.add_host(name, at) for name, at in _NUMBERS.items()}
        network.enter("clients")
        network.add_address("edge1", PUBLIC_NUMBER)
        self.public = f"10.77.0.{PUBLIC_NUMBER}"
        self.public_at = "edge1"
        self.url = f"https://{self.public}"
        self.certificate = self_signed(directory / "site.pem", self.public)
        servers = [
            Server(name, network, self.addresses[name], directory) for name in ("db1", "db2")
        ]
        self.postgres = Pair(*servers)
        watched = {name: self.addresses[name] for name in ("redis1", "redis2", "redis3")}
        self.redis = Watched(network, watched, directory)
        self.carrier = self._django(
            "carrier", "simulator", "telnyx", "--host", self.addresses["carrier"], "--port", "8900",
            "--control-port", str(_CONTROL), "--webhook-url", f"{self.url}/webhooks/telnyx/",
            "--latency-ms", "20",
        )  # fmt: skip
        self.webs = [self._web(f"web{number}") for number in (1, 2, 3)]
        self.workers = [self._django(f"worker{number}", "worker") for number in (1, 2, 3)]
        self.edges = [self._edge(f"edge{number}") for number in (1, 2)]

    @property
    def parts(self) -> Iterator[Part]:
        yield from [*self.edges, *self.webs, *self.workers, self.carrier]
        yield from [*self.redis.sentinels.values(), *self.redis.servers.values()]

    def _start(self) -> None:
        self.postgres.start()
        self.redis.start()
        self.carrier.start()
        told = self.directory / "carrier" / "simulator.json"
        wait_until(told.exists, 60)
        simulator = json.loads(told.read_text())
        self._given |= {
            "TELNYX_API_KEY": simulator["api_key"],
            "TELNYX_API_BASE": simulator["base"],
            "TELNYX_PUBLIC_KEY": simulator["public_key"],
        }
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed_demo")
        for part in [*self.webs, *self.workers, *self.edges]:
            part.environment = self._environment(part.name)
            part.start()
        wait_until(self.is_ready, 120, pause=0.5)

    def is_ready(self) -> bool:
        """Return whether each web process answers that it can serve."""
        return all(self.web_is_ready(web) for web in self.webs)

    def web_is_ready(self, web: Part) -> bool:
        try:
            return requests.get(f"http://{web.address}:8000/readyz", timeout=3).status_code == 200
        except requests.RequestException:
            return False

    def manage(self, *arguments: str) -> str:
        """Run a management command on the host of the clients."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env={**os.environ, **self._environment("clients")},
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def carrier_control(self, method: str, path: str, body: object = None) -> Any:
        address = f"http://{self.addresses['carrier']}:{_CONTROL}{path}"
        answer = requests.request(method, address, json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def move_public_address(self) -> None:
        other = "edge2" if self.public_at == "edge1" else "edge1"
        self.network.move_address(PUBLIC_NUMBER, self.public_at, other)
        self.public_at = other

    def remove(self) -> None:
        """End every process, and delete the namespaces, the disks and the files."""
        for part in self.parts if hasattr(self, "edges") else ():
            part.thaw()
            part.kill()
        if hasattr(self, "postgres"):
            self.postgres.remove()
        self.network.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _environment(self, name: str) -> dict[str, str]:
        return {
            "DATA_DIR": str(self.directory / name),
            "DATABASE_POOL": "10",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "only-for-the-cluster-of-the-tests-0123456789-0123456789",
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": self.public,
            "TRUSTED_PROXIES": f"{self.addresses['edge1']},{self.addresses['edge2']}",
            "DEMO_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
            "SSL_CERT_FILE": str(self.certificate),
            "WEBHOOK_SPOOL": "1",
            "DELIVERY_ACCOUNT_RATE": "100",
            "DELIVERY_SENDER_RATE": "100",
            "DELIVERY_DAILY_PARTS": "none",
            "LOG_FORMAT": "json",
            **self._given,
        }

    def _django(self, name: str, *arguments: str) -> Part:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return self._part(name, command)

    def _web(self, name: str) -> Part:
        command = [
            sys.executable, "-m", "realtime.daphne", "--bind", self.addresses[name],
            "--port", "8000", "--verbosity", "0", "--no-server-name", "koinonia.asgi:application",
        ]  # fmt: skip
        return self._part(name, command)

    def _part(self, name: str, command: list[str]) -> Part:
        (self.directory / name).mkdir()
        log = self.directory / f"{name}.log"
        environment = self._environment(name)
        return Part(name, self.network, self.addresses[name], command, log, environment)

    def _edge(self, name: str) -> Part:
        text = nginx.site([8000], 80, 443, self.certificate)
        upstream = "server 127.0.0.1:8000 max_fails=3 fail_timeout=5s;"
        webs = [upstream.replace("127.0.0.1", web.address) for web in self.webs]
        for old, new in (
            (upstream, "\n".join(webs)),
            ("listen 127.0.0.1:", "listen "),
            ("server_name 127.0.0.1", f"server_name {self.public}"),
        ):
            assert old in text
            text = text.replace(old, new)
        directory = self.directory / name
        nginx.Nginx(directory, text, 443)
        command = [str(nginx.PROGRAM), "-p", str(directory), "-c", str(directory / "nginx.conf")]
        return Part(name, self.network, self.addresses[name], command, directory / "log")
