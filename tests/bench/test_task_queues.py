"""The comparison of delivery with task queues: its contenders and its sink, without their servers."""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

BENCH = ROOT / "bench"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the program, whose modules find one another by the path."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("bench_queue")


@pytest.fixture
def sink() -> Iterator[str]:
    command = [sys.executable, str(BENCH / "delivery_stub.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def test_a_task_queue_that_is_not_installed_is_named_and_left_out(
    compared: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery, other = compared.PEERS[0], compared.PEERS[3]
    absent = dataclasses.replace(other, package="a-package-that-nobody-has-made")
    monkeypatch.setattr(compared, "PEERS", (delivery, absent))
    assert compared.contenders([]) == [delivery]
    said = capsys.readouterr().out
    assert "not installed: a-package-that-nobody-has-made (bench/requirements-queue.txt)" in said


def test_without_another_task_queue_nothing_is_measured(
    compared: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compared, "PEERS", compared.PEERS[:3])
    monkeypatch.setattr(sys, "argv", ["bench_queue.py"])
    compared.main()
    assert "skipped: there is no other task queue to measure" in capsys.readouterr().out


def test_each_pinned_package_has_a_contender(compared: Any) -> None:
    lines = (BENCH / "requirements-queue.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].partition("[")[0] for line in lines if "==" in line}
    assert pinned <= {peer.package for peer in compared.PEERS}


def test_the_sink_counts_the_posts_of_a_text_by_their_key(sink: str) -> None:
    for text, key in (("One", "a"), ("One", "a"), ("One", "b"), ("Two", "c")):
        requests.post(
            f"{sink}/messages", json={"text": text}, headers={"Idempotency-Key": key}, timeout=10
        ).raise_for_status()
    assert requests.get(f"{sink}/count", timeout=10).json() == 2
    posts = requests.get(f"{sink}/posts", timeout=10).json()
    assert posts == {"One": {"a": 2, "b": 1}, "Two": {"c": 1}}
    assert set(requests.get(f"{sink}/arrivals", timeout=10).json()) == {"One", "Two"}


def test_a_contender_without_a_post_after_the_kill_is_told_as_such(compared: Any) -> None:
    told = compared.told_of({"Killed 0": {"a": 1}}, {"Killed 0": 10.0}, before=1, texts=3, at=11.0)
    assert told == "1 posted before; lost 2; nothing was posted after the kill"


def test_a_text_with_two_keys_is_told_as_doubled(compared: Any) -> None:
    posts = {"Killed 0": {"a": 2}, "Killed 1": {"b": 1, "c": 1}, "Killed 2": {"d": 1}}
    arrivals = {"Killed 0": 10.0, "Killed 1": 10.0, "Killed 2": 15.5}
    told = compared.told_of(posts, arrivals, before=2, texts=3, at=11.0)
    assert told == (
        "2 posted before; lost 0; posted again 2, of them with another key 1; "
        "first after 4.5 s, last after 4.5 s"
    )
