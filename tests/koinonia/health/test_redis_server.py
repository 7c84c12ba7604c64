"""Reports about a useless Redis that answers PING, at start and in ``/readyz?full``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client

from koinonia.health import readiness, redis_server
from tests.koinonia.elsewhere import use_redis
from tests.support.running_system import ROOT, free_port
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

PASSWORD = "a-password-of-a-test"


@pytest.fixture(autouse=True)
def _forget_results(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(readiness, "LIMIT_SECONDS", 30)
    readiness.needed.forget()
    readiness.everything.forget()
    yield
    readiness.needed.forget()
    readiness.everything.forget()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    running = ValkeyServer(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def limited_to(server: ValkeyServer, *rights: str) -> str:
    """Return the URL of a user with only these rights."""
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "limited", "on", f">{PASSWORD}", *rights)
    return f"unix://limited:{PASSWORD}@{server.socket}"


def test_a_good_redis_has_no_problem(server: ValkeyServer, settings: Any) -> None:
    use_redis(settings, server.url)
    assert redis_server.problems() == []


@pytest.mark.parametrize(
    "rights",
    [("~*", "&*", "+@all", "-@scripting"), ("~other:*", "&*", "+@all"), ("~*", "+@read", "+ping")],
    ids=str,
)
@pytest.mark.django_db
def test_a_user_without_the_right_to_run_scripts_is_detected(
    server: ValkeyServer, settings: Any, rights: tuple[str, ...]
) -> None:
    use_redis(settings, limited_to(server, *rights))
    answer = Client().get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "degraded")
    assert told["parts"]["redis"].startswith("degraded: The user of REDIS_URL may not run")
    assert "limited" not in answer.content.decode()
    assert redis_server.problems()


@pytest.mark.django_db
def test_the_rights_of_the_handbook_are_enough(server: ValkeyServer, settings: Any) -> None:
    handbook = (ROOT / "docs" / "operations" / "redis.md").read_text()
    rights = re.search(r"`ACL SETUSER koinonia on >… (.*?)`", handbook)
    assert rights is not None
    use_redis(settings, limited_to(server, *rights[1].split()))
    assert Client().get("/readyz?full").json()["status"] == "ready"


@pytest.mark.django_db
def test_a_user_without_channels_is_detected_by_the_full_probe(
    server: ValkeyServer, settings: Any
) -> None:
    use_redis(settings, limited_to(server, "~*", "resetchannels", "+@all"))
    assert Client().get("/readyz").json()["status"] == "ready"
    told = Client().get("/readyz?full").json()
    assert told["status"] == "degraded"
    assert told["parts"]["channels"].startswith("degraded: The user of REDIS_URL may not run")
    assert told["parts"]["hints"] == "ok"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
@pytest.mark.django_db
def test_eviction_is_reported_at_start_and_by_the_full_probe(
    server: ValkeyServer, settings: Any, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    use_redis(settings, server.url)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", policy)
    with caplog.at_level(logging.WARNING):
        redis_server.warn()
    assert [record.getMessage() for record in caplog.records] == redis_server.problems()
    assert f"maxmemory-policy is {policy}" in caplog.text
    assert Client().get("/readyz").json()["status"] == "ready"
    told = Client().get("/readyz?full").json()
    assert told["parts"]["eviction"].startswith("degraded: Redis may evict keys")


def test_a_server_that_forbids_info_has_no_problem(server: ValkeyServer, settings: Any) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    use_redis(settings, limited_to(server, "~*", "&*", "+@all", "-info", "-config"))
    assert redis_server.problems() == []


def test_an_unreachable_redis_is_not_reported_at_start(server: ValkeyServer, settings: Any) -> None:
    server.stop()
    use_redis(settings, server.url)
    assert redis_server.problems() == []


def test_a_full_memory_is_detected(server: ValkeyServer, settings: Any) -> None:
    use_redis(settings, server.url)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
    assert redis_server.problems() == ["The memory of Redis is full."]


def test_a_missing_database_is_named(tmp_path: Path, settings: Any) -> None:
    server = ValkeyServer(tmp_path, "--databases", "1")
    use_redis(settings, f"{server.url}?db=5")
    (problem,) = redis_server.problems()
    server.stop()
    assert problem.startswith("REDIS_URL names database 5, which this Redis does not have")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            "SELECT is not allowed in cluster mode",
            "REDIS_URL points at a Redis Cluster, which has database 0 alone, and names database 5",
        ),
        ("DB index is out of range", "REDIS_URL names database 5, which this Redis does not have"),
    ],
)
def test_redis_and_valkey_refuse_the_database_of_a_cluster_in_other_words(
    settings: Any, answer: str, sentence: str
) -> None:
    use_redis(settings, "unix:///nowhere?db=5")
    assert redis_server.sentence(redis.ResponseError(answer)).startswith(sentence)


@pytest.fixture
def two_nodes(tmp_path: Path, settings: Any) -> Iterator[ValkeyServer]:
    """Run a cluster: REDIS_URL names the first node, and the second node holds our slot."""
    ports = [free_port(), free_port()]
    nodes = [_node(tmp_path / name, port) for name, port in zip("ab", ports, strict=True)]
    use_redis(settings, f"redis://127.0.0.1:{ports[0]}")
    with redis.Redis(port=ports[0]) as one, redis.Redis(port=ports[1]) as other:
        slot: Any = one.execute_command("CLUSTER", "KEYSLOT", "{koinonia:0}")
        one.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, slot - 1, slot + 1, 16383)
        other.execute_command("CLUSTER", "ADDSLOTS", slot)
        bus = nodes[1].options[nodes[1].options.index("--cluster-port") + 1]
        one.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1], bus)
        wait_until(lambda: b"cluster_state:ok" in one.execute_command("CLUSTER", "INFO"))
    yield nodes[0]
    for node in nodes:
        node.stop()


def _node(directory: Path, port: int) -> ValkeyServer:
    directory.mkdir()
    return ValkeyServer(
        directory, "--port", str(port), "--cluster-port", str(free_port()),
        "--bind", "127.0.0.1", "--cluster-enabled", "yes",
    )  # fmt: skip


@pytest.mark.usefixtures("two_nodes")
def test_a_cluster_node_without_our_slot_is_reported_with_the_right_node() -> None:
    (problem,) = redis_server.problems()
    assert problem.startswith("REDIS_URL points at a Redis Cluster, at a node that does not hold")
    assert " is at 127.0.0.1:" in problem
