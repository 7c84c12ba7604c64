"""Processes that share one endpoint: their counters are summed, and survive the processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from koinonia.health.metrics import ended_processes, process_group

_COUNT = """
import os, sys
from prometheus_client import Counter, Gauge, Histogram
Counter("texts", "Texts.", ["outcome"]).labels("sent").inc(3)
Gauge("clients", "Clients.", multiprocess_mode="livesum").set(2)
Histogram("seconds", "Seconds.", buckets=(1, 5)).observe(2)
"""
_READ = """
import os, sys
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


def _run(folder: Path, program: str) -> str:
    environment = {**os.environ, process_group.VARIABLE: str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_counters_of_ended_processes_stay_and_their_files_go(tmp_path: Path) -> None:
    for _ in range(2):
        _run(tmp_path, _COUNT)
    assert ended_processes.fold(tmp_path) == 6
    _run(tmp_path, _COUNT)
    assert ended_processes.fold(tmp_path) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "counter_ended.db", "histogram_ended.db",
    ]  # fmt: skip
    shown = _run(tmp_path, _READ)
    assert 'texts_total{outcome="sent"} 9.0' in shown
    assert 'seconds_bucket{le="5.0"} 3.0' in shown
    assert "seconds_sum 6.0" in shown
    assert "clients" not in shown


def test_files_of_a_running_process_stay(tmp_path: Path) -> None:
    mine = tmp_path / f"counter_{os.getpid()}.db"
    mine.write_bytes(bytes(8))
    assert ended_processes.fold(tmp_path) == 0
    assert mine.exists()


def test_a_directory_that_no_process_uses_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process_group.VARIABLE, "")
    monkeypatch.setattr(process_group, "_locks", [])
    (tmp_path / "worker-of-yesterday").mkdir()
    first = process_group.join(tmp_path, "worker-1")
    second = process_group.join(tmp_path, "worker-2")
    assert first == tmp_path / "worker-1"
    assert second == process_group.directory() == tmp_path / "worker-2"
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"worker-1", "worker-2"}
    for descriptor in process_group._locks:
        os.close(descriptor)


def test_a_directory_that_cannot_be_made_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(process_group.VARIABLE, raising=False)
    (tmp_path / "file").touch()
    assert process_group.join(tmp_path / "file" / "metrics", "worker-1") is None
    assert process_group.directory() is None
    assert [record.__dict__["action"] for record in caplog.records] == ["metrics_not_shared"]


def test_a_process_that_uvicorn_did_not_start_has_no_siblings() -> None:
    assert process_group.name_among_siblings() is None
