"""``manage.py up`` with its real processes: start, kills, stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from koinonia.up.data_dir import DataDir
from tests.support.running_system import ROOT, ColdSystem, RunningSystem, database_environment
from tests.support.waiting import wait_until
from tests.up.descendants import one, processes_of

GONE_SECONDS = 20
PROCESSES = 10
"""up, Valkey, simulator, web, worker, its cluster; the cluster's guard, worker, pusher, monitor."""


def up(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an ``up`` that ends by itself."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up", "--data-dir", str(data_dir), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def is_ready(system: RunningSystem) -> bool:
    try:
        return requests.get(f"{system.url}/readyz", timeout=60).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Start a system with umask 0, on a directory that is open to other users."""
    data_dir = tmp_path_factory.mktemp("up") / "made-by-up"
    before = os.umask(0)
    data_dir.mkdir(mode=0o755)
    running = ColdSystem(data_dir, "--no-demo", **database_environment())
    try:
        running.start()
    finally:
        os.umask(before)
    yield running
    running.stop()


def test_every_part_is_reported_as_ready(system: RunningSystem) -> None:
    parts = ("database", "migrations", "versions", "disk", "redis")
    states = dict.fromkeys(parts, "ok")
    ready = {"ready": True, "status": "ready", "parts": states}
    # On a busy machine a check may take longer than its second.
    wait_until(lambda: requests.get(f"{system.url}/readyz", timeout=60).json() == ready)
    # The site answers a moment before ``up`` says so.
    wait_until(lambda: f"Koinonia is ready: {system.url}/" in system.log.read_text())


def test_a_second_up_on_the_same_directory_is_refused(system: RunningSystem) -> None:
    second = up(system.data_dir, "--port", "1")
    assert second.returncode == 1
    assert f"Another `manage.py up` runs on {system.data_dir}." in second.stderr
    wait_until(lambda: is_ready(system))


def test_data_and_logs_are_private_to_the_owner(system: RunningSystem) -> None:
    assert stat.S_IMODE(system.data_dir.stat().st_mode) == 0o700
    made = list(system.data_dir.rglob("*"))
    assert {"secret_key", "simulator.json", "valkey.sock", "logs"} <= {path.name for path in made}
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize(
    "part", ["daphne", "manage.py worker", "telnyx_simulator", "valkey-server"]
)
def test_a_killed_part_is_restarted(system: RunningSystem, part: str) -> None:
    killed = one(system.data_dir, part)
    os.kill(killed, signal.SIGKILL)
    wait_until(
        lambda: any(
            part in command
            for pid, command in processes_of(system.data_dir).items()
            if pid != killed
        ),
    )
    wait_until(lambda: is_ready(system))


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[RunningSystem]:
    """Start a system for this test, and wait for the last process of its worker."""
    system = RunningSystem(tmp_path / "up", "--no-demo", **database_environment())
    system.data_dir.mkdir()
    system.start()
    wait_until(lambda: len(processes_of(system.data_dir)) >= PROCESSES, seconds=60)
    yield system
    system.stop()


def test_it_stops_in_order_and_leaves_nothing(whole: RunningSystem) -> None:
    assert whole.stop() == 0
    assert processes_of(whole.data_dir) == {}
    left = {path.name for path in whole.data_dir.iterdir()}
    assert not left & {"redis_url", "public_url", "simulator.json", "valkey.sock"}


def test_no_process_outlives_a_kill_and_the_next_up_starts(whole: RunningSystem) -> None:
    kept, migrated = (whole.data_dir / "secret_key").read_text(), migrations_of(whole)
    whole.process.kill()
    whole.process.wait()
    wait_until(lambda: not processes_of(whole.data_dir), GONE_SECONDS)
    whole.start()
    assert is_ready(whole)
    assert (whole.data_dir / "secret_key").read_text() == kept
    assert migrations_of(whole) == migrated, "The second start had nothing to migrate."


def test_a_database_that_was_emptied_is_migrated_again(system: RunningSystem) -> None:
    assert system.stop() == 0
    empty_the_database(system)
    system.start()
    wait_until(lambda: is_ready(system))
    wait_until(lambda: migrations_of(system) == 2)


def migrations_of(system: RunningSystem) -> int:
    return system.log.read_text().count("  Database  ")


def empty_the_database(system: RunningSystem) -> None:
    """Remove every table. The SQLite file stays the same file."""
    url = system.environment_beside.get("DATABASE_URL")
    if url is None:
        os.truncate(system.data_dir / "koinonia.sqlite3", 0)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def test_the_next_up_waits_for_the_children_of_a_killed_one(tmp_path: Path) -> None:
    with DataDir(tmp_path).held() as lock:
        last_act = ["sh", "-c", f"sleep 1; touch {tmp_path}/ended"]
        left = subprocess.Popen(last_act, pass_fds=[lock])
    with DataDir(tmp_path).held():
        # poll() may still return None: a process frees its lock before its exit code is set.
        assert (tmp_path / "ended").exists()
    assert left.wait() == 0
