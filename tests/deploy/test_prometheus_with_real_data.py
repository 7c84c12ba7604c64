"""A real Prometheus beside a running system: each query of the pages, rules and dashboard has data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.deploy.test_prometheus_files import DASHBOARD, FOLDER, METRICS, WATCHING
from tests.support.running_system import RunningSystem, database_environment, free_port

prometheus = shutil.which("prometheus")
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(prometheus is None, reason="prometheus is not installed"),
]
_SECONDS = 60
_API = "/api/v1/churches/grace"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Prometheus that has watched a busy system."""
    folder = tmp_path_factory.mktemp("watched")
    worker = f"127.0.0.1:{free_port()}"
    environment = {**database_environment(), "WORKER_METRICS": worker}
    with RunningSystem(folder / "data", **environment) as system:
        web, own = system.url.removeprefix("http://"), f"127.0.0.1:{free_port()}"
        text = (FOLDER / "prometheus.yml").read_text()
        text = re.sub(r'\["127\.0\.0\.1:8001", "127\.0\.0\.1:8002"\]', f'["{web}"]', text)
        text = text.replace("127.0.0.1:9108", worker).replace(": 15s", ": 1s")
        (folder / "prometheus.yml").write_text(text)
        shutil.copy(FOLDER / "rules.yml", folder / "rules.yml")
        with (folder / "prometheus.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(prometheus), f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={own}",
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        try:
            _work(system, f"http://{own}")
            yield f"http://{own}"
        finally:
            process.terminate()
            process.wait(20)


def _work(system: RunningSystem, address: str) -> None:
    """Send texts, poll and listen, until Prometheus has seen texts delivered."""
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    issued = requests.post(f"{system.url}/api/v1/realtime/ticket/", headers=headers, timeout=20)
    ticket = issued.json()
    offer: list[Any] = ["koinonia.v1", f"ticket.{ticket['ticket']}"]
    events = f"{system.url}{_API}/events/"
    last = requests.get(events, headers=headers, timeout=20).json()["to"]
    with connect(ticket["url"], subprotocols=offer, origin=Origin(system.url)) as socket:
        socket.send(json.dumps({"type": "subscribe", "stream": "church:grace"}))
        query = {"after": str(last + 100_000), "wait": "20"}
        Thread(
            target=requests.get,
            args=[events],
            kwargs={"params": query, "headers": headers, "timeout": 40},
            daemon=True,
        ).start()
        until = time.monotonic() + _SECONDS
        delivered = 'sum(increase(koinonia_texts_total{outcome="delivered"}[1m])) > 0'
        while not _result(address, delivered):
            assert time.monotonic() < until, "Prometheus has seen no delivered text"
            for number in range(3):
                _send(system, headers, number)
            etag = ""
            for _ in range(2):
                tagged = {**headers, "If-None-Match": etag}
                listed = requests.get(f"{system.url}{_API}/messages/", headers=tagged, timeout=20)
                etag = listed.headers.get("ETag", "")
            requests.get(events, headers=headers, params={"after": str(last)}, timeout=20)


def _send(system: RunningSystem, headers: dict[str, str], number: int) -> None:
    body = {"to": f"+1312555{1000 + number}", "text": "Choir practice is at seven."}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    requests.post(
        f"{system.url}{_API}/messages/", json=body, headers={**headers, **key}, timeout=20
    )


def _result(address: str, expression: str) -> list[Any]:
    try:
        answer = requests.get(f"{address}/api/v1/query", params={"query": expression}, timeout=20)
    except requests.ConnectionError:
        return []
    if answer.status_code == 503:
        return []
    assert answer.status_code == 200, (expression, answer.text)
    found: list[Any] = answer.json()["data"]["result"]
    return found


def _queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = [
        target["expr"].replace("$__rate_interval", "1m")
        for panel in panels
        for target in panel.get("targets", [])
    ]
    written = [
        query
        for page in (METRICS, WATCHING)
        for query in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    return shown + written


@pytest.mark.parametrize("query", _queries())
def test_the_query_has_data(server: str, query: str) -> None:
    until = time.monotonic() + 20
    while not (found := _result(server, query)):
        assert time.monotonic() < until, query
        time.sleep(0.5)
    assert found


def test_every_rule_is_evaluated(server: str) -> None:
    groups = requests.get(f"{server}/api/v1/rules", timeout=20).json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == 21
    assert [rule["name"] for rule in rules if rule["health"] == "err"] == []


def test_every_target_answers_within_the_time_of_a_scrape(server: str) -> None:
    targets = requests.get(f"{server}/api/v1/targets", timeout=20).json()["data"]["activeTargets"]
    assert [(target["scrapePool"], target["health"]) for target in targets] == [
        ("koinonia-installation", "up"),
        ("koinonia-web", "up"),
        ("koinonia-worker", "up"),
    ]
