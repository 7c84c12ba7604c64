"""``manage.py up`` with a hosted Redis: a cluster of one node that evicts keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import requests

from tests.support.running_system import RunningSystem, database_environment, free_port
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

WARNING = "Redis may evict keys (its maxmemory-policy is allkeys-lru)"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    directory = tmp_path_factory.mktemp("foreign")
    port = free_port()
    server = ValkeyServer(
        directory, "--port", str(port), "--cluster-port", str(free_port()), "--bind", "127.0.0.1",
        "--cluster-enabled", "yes", "--maxmemory-policy", "allkeys-lru",
    )  # fmt: skip
    with redis.Redis(port=port) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
    given = {"REDIS_URL": f"redis://127.0.0.1:{port}", **database_environment()}
    with RunningSystem(directory / "up", **given) as running:
        yield running
    server.stop()


def test_a_text_is_delivered_with_its_limits_counted(system: RunningSystem) -> None:
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
    url = f"{system.url}/api/v1/churches/grace/messages/"
    body = {"to": "+13125550123", "text": "Over a cluster"}
    answer = requests.post(url, json=body, headers=headers, timeout=20)
    assert answer.status_code == 202
    assert "messages" in answer.headers["RateLimit"]
    location = answer.headers["Location"]

    def delivered() -> bool:
        status = requests.get(location, headers=headers, timeout=20).json()["status"]
        return bool(status == "delivered")

    wait_until(delivered, 60)


def test_every_part_is_ready_and_eviction_is_reported(system: RunningSystem) -> None:
    def told() -> bool:
        answer = requests.get(f"{system.url}/readyz?full", timeout=30).json()
        eviction = answer["parts"].pop("eviction")
        others = set(answer["parts"].values())
        is_told = eviction.startswith(f"degraded: {WARNING}") and answer["status"] == "degraded"
        return is_told and others == {"ok"}

    # On a busy machine a check may take longer than its second.
    wait_until(told)


def test_up_web_and_worker_each_warn_of_eviction_in_one_line(system: RunningSystem) -> None:
    assert system.log.read_text().count(f"  Warning: {WARNING}") == 1
    for name in ("web", "worker"):
        log = (system.data_dir / "logs" / f"{name}.log").read_text()
        assert log.count(WARNING) == 1, name
