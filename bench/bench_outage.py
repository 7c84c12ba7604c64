"""Measure health during a loss of PostgreSQL: ``python bench/bench_outage.py [--seconds 30] [--tree PATH]``.

One web process answers 20 clients. PostgreSQL stops for some seconds and starts again. A probe
asks ``/healthz`` ten times a second, and gives up after the whole time of the outage. ``--tree`` measures
another checkout.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure, say  # noqa: E402  # found by the path above
from system_parts import PASSWORD, Build, Parts, Setup, running_parts  # noqa: E402  # found by the path above

CLIENTS = 20
PAUSE_SECONDS = 0.1


def main() -> None:
    options = _options()
    build = Build(options.tree.resolve(), options.python)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        os.chmod(directory, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        setup = Setup(database="postgres", server="daphne", webs=1, nginx=False, profile=False)
        with running_parts(build, setup, Path(directory)) as parts:
            _measure(parts, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that is measured")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of that checkout")
    parser.add_argument("--seconds", type=float, default=30.0, help="the outage")
    return parser.parse_args()


class _Clients:
    """Clients with a token: each request asks the database."""

    def __init__(self, url: str) -> None:
        self._headers = {"Authorization": f"Bearer {_token(url)}"}
        self._url, self._over = f"{url}/api/v1/me/", threading.Event()
        self.statuses: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                status = requests.get(self._url, headers=self._headers, timeout=60).status_code
            except requests.RequestException:
                status = 0
            self.statuses[status] = self.statuses.get(status, 0) + 1


def _token(url: str) -> str:
    body = {"username": "grace-owner", "password": PASSWORD}
    answer = requests.post(f"{url}/api/v1/auth/login/", json=body, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["token"])


def _measure(parts: Parts, seconds: float) -> None:
    url, postgres = parts.url, parts.postgres
    if postgres is None:
        raise RuntimeError("The outage needs PostgreSQL.")
    clients = _Clients(url)
    postgres.stop("immediate")
    began, took = time.monotonic(), []
    while time.monotonic() - began < seconds:
        asked = time.monotonic()
        requests.get(f"{url}/healthz", timeout=seconds + 60).raise_for_status()
        took.append(time.monotonic() - asked)
        time.sleep(PAUSE_SECONDS)
    postgres.start()
    up = time.monotonic()
    while requests.get(f"{url}/readyz", timeout=60).status_code != 200:
        time.sleep(PAUSE_SECONDS)
    back = time.monotonic() - up
    clients.stop()
    took.sort()
    say(f"  {len(took)} probes; answers to other requests by status: {clients.statuses}")
    print_figure("healthz_p99", took[min(len(took) - 1, int(len(took) * 0.99))] * 1000, "ms")
    print_figure("healthz_longest", took[-1] * 1000, "ms")
    print_figure("ready_again", back, "s")


if __name__ == "__main__":
    main()
