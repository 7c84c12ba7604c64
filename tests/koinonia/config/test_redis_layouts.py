"""Layouts of Redis: a numbered database, a single database, a cluster, a shared server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.running_system import ROOT, free_port
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

FRESH = {
    "left": 1,
    "counted": 1,
    "cached": 42,
    "paced": 11,
    "breaker_is_shared": True,
    "hint_was_there": False,
    "heard": "log.appended",
}
"""The result of every use on a Redis without keys of this installation."""


def run(url: str, *arguments: str, **environment: str) -> str:
    variables = {"DELIVERY_SENDER_RATE": "20", "TELNYX_API_KEY": "KEY0", **environment}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.koinonia.config.redis_uses", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "koinonia.settings",
            **variables,
            "REDIS_URL": url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def used(url: str, **environment: str) -> Any:
    return json.loads(run(url, **environment))


def keys(url: str) -> list[str]:
    """Return all keys but those of the pace, which expire within a second."""
    with redis.Redis.from_url(url) as client:
        found = [key.decode() for key in client.scan_iter()]
    return sorted(key for key in found if ":pace:" not in key)


@pytest.fixture
def one_database(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path, "--databases", "1")
    yield server
    server.stop()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """Run a cluster of one node with all slots, and yield its URL."""
    port = free_port()
    options = ["--port", str(port), "--cluster-port", str(free_port()), "--bind", "127.0.0.1"]
    server = ValkeyServer(tmp_path, *options, "--cluster-enabled", "yes")
    with redis.Redis(port=port) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
    yield f"redis://127.0.0.1:{port}"
    server.stop()


def test_one_database_is_enough(one_database: ValkeyServer) -> None:
    assert used(one_database.url) == FRESH


def test_every_script_runs_on_a_cluster(cluster: str) -> None:
    assert used(cluster) == FRESH


def test_every_key_of_an_installation_is_in_one_slot(cluster: str) -> None:
    used(cluster)
    with redis.Redis.from_url(cluster) as client:
        slots = {client.execute_command("CLUSTER", "KEYSLOT", key) for key in keys(cluster)}
    assert len(slots) == 1


def test_the_database_of_the_url_is_used_and_no_other(shared: ValkeyServer) -> None:
    used(f"{shared.url}?db=5")
    with redis.Redis.from_url(shared.url) as client:
        assert set(client.info("keyspace")) == {"db5"}


@pytest.mark.parametrize(
    ("other", "environment"), [("?db=6", {}), ("?db=5", {"REDIS_PREFIX": "hope"})], ids=str
)
def test_installations_with_another_database_or_prefix_share_nothing(
    shared: ValkeyServer, other: str, environment: dict[str, str]
) -> None:
    assert used(f"{shared.url}?db=5") == FRESH
    assert used(f"{shared.url}?db=5") != FRESH
    assert used(f"{shared.url}{other}", **environment) == FRESH


@pytest.mark.parametrize(
    ("other", "environment"), [("?db=6", {}), ("?db=5", {"REDIS_PREFIX": "hope"})], ids=str
)
def test_installations_with_another_database_or_prefix_share_no_channel(
    shared: ValkeyServer, other: str, environment: dict[str, str]
) -> None:
    """Separate channels by their prefix: pub/sub ignores the number of the database."""
    with redis.Redis.from_url(shared.url) as client, client.pubsub() as everything:
        everything.psubscribe("*")
        used(f"{shared.url}?db=5")
        used(f"{shared.url}{other}", **environment)
        heard = {message["channel"] for message in _messages(everything)}
    assert len(heard) == 2


def _messages(everything: Any) -> Iterator[dict[str, Any]]:
    while (message := everything.get_message(timeout=1)) is not None:
        if message["type"] == "pmessage":
            yield message


def test_clearing_a_cache_leaves_the_buckets(shared: ValkeyServer) -> None:
    used(shared.url)
    before = keys(shared.url)
    run(shared.url, "clear")
    assert set(before) - set(keys(shared.url)) == {key for key in before if ":cache:" in key}
    assert not [key for key in keys(shared.url) if ":cache:" in key]


def test_clearing_a_cache_leaves_another_installation(shared: ValkeyServer) -> None:
    used(shared.url, REDIS_PREFIX="hope")
    before = keys(shared.url)
    run(shared.url, "clear")
    assert keys(shared.url) == before
