"""Webs and workers are restarted in turn under load, as docs/operations/upgrade.md says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.rolling.load import LISTENERS, Load
from tests.rolling.site import Process, RollingSite
from tests.support import nginx
from tests.support.running_system import database_environment
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

NEEDED = [
    pytest.mark.skipif(nginx.PROGRAM is None, reason="There is no nginx on this machine."),
    pytest.mark.skipif(
        "KOINONIA_TEST_POSTGRES" not in os.environ, reason="Two hosts share no file of SQLite."
    ),
]
pytestmark = NEEDED
UNLIMITED = {
    f"THROTTLE_{name}": "60000/m"
    for name in (
        "API",
        "CONDITIONAL",
        "MESSAGES",
        "BROADCASTS",
        "CONNECT",
        "LOGIN_IP",
        "LOGIN_USER",
    )
}
RESTART = "1012"
SOON = 60


@pytest.fixture
def site(tmp_path: Path, valkey: ValkeyServer) -> Iterator[RollingSite]:
    database = database_environment()["DATABASE_URL"]
    with RollingSite(tmp_path, database, valkey.url, environment=UNLIMITED) as running:
        yield running


def served(web: Process) -> int:
    """Return how many requests of clients the process has answered since its start."""
    answer = web.asks("/metrics")
    text = "" if answer is None else answer.text
    found = re.findall(r"^koinonia_requests_total\{.*\} (\S+)$", text, re.MULTILINE)
    return round(sum(map(float, found)))


def restart_in_turn(site: RollingSite) -> None:
    """Restart a web process and a worker at a time, and go on when both work again."""
    for web, worker in zip(site.webs, site.workers, strict=True):
        assert (web.stop(), worker.stop()) == (0, 0)
        web.start()
        worker.start()
        wait_until(web.is_ready, SOON, pause=0.2)
        # nginx forgets after fail_timeout that the process refused connections.
        wait_until(partial(served, web), SOON, pause=0.2)
        wait_until(partial(worker.asks, "/metrics"), SOON, pause=0.2)


def judge(load: Load) -> None:
    load.judge()
    webhooks = load.webhooks()
    assert webhooks["given_up"] == 0
    assert dict(load.errors) == {}
    assert set(load.record.reconnects) == {RESTART}
    assert load.record.reconnects[RESTART] >= LISTENERS


def test_a_restart_in_turn_costs_no_request_and_no_text(site: RollingSite) -> None:
    with Load(site) as load:
        restart_in_turn(site)
        judge(load)


@pytest.mark.chaos
def test_many_restarts_in_turn_cost_no_request_and_no_text(site: RollingSite) -> None:
    with Load(site) as load:
        for _ in range(5):
            restart_in_turn(site)
        judge(load)
