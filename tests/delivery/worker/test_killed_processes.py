"""Killed processes that a stock django-q2 cluster does not survive."""

from __future__ import annotations

import pytest

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.worker.running_worker import RunningWorker, alive, kill
from tests.support.waiting import wait_until

PARTS = ["worker", "pusher", "monitor", "sentinel", "cluster"]


@pytest.mark.parametrize("part", PARTS)
def test_an_idle_cluster_that_loses_a_process_sends_the_next_text(
    worker: RunningWorker, telnyx: TelnyxSimulator, part: str
) -> None:
    kill(wait_until(worker.tree)[part])
    worker.script("write_texts", "20", "1")
    wait_until(lambda: worker.statuses() == {"accepted": 20})
    assert telnyx.ledger.summary()["duplicates"] == {}


@pytest.mark.parametrize("part", ["worker", "sentinel"])
def test_a_busy_cluster_that_is_killed_loses_and_doubles_nothing(
    worker: RunningWorker, telnyx: TelnyxSimulator, part: str
) -> None:
    telnyx.account.options.change({"latency_ms": 100})
    tree = wait_until(worker.tree)
    worker.script("write_texts", "120", "1")
    wait_until(lambda: len(telnyx.ledger) > 20)
    kill(tree[part])
    wait_until(lambda: worker.statuses() == {"accepted": 120})
    summary = telnyx.ledger.summary()
    assert (summary["accepted"], summary["duplicates"]) == (120, {})


def test_nothing_is_left_when_the_supervisor_is_killed(worker: RunningWorker) -> None:
    wait_until(worker.tree)
    below = worker.processes()
    kill(worker.process.pid)
    worker.process.wait()
    wait_until(lambda: not any(alive(pid) for pid in below))


def test_term_stops_a_busy_worker_in_ten_seconds_and_leaves_nothing_half_done(
    worker: RunningWorker, telnyx: TelnyxSimulator
) -> None:
    telnyx.account.options.change({"latency_ms": 200})
    wait_until(worker.tree)
    worker.script("write_texts", "200", "1")
    wait_until(lambda: len(telnyx.ledger) > 20)
    below = worker.processes()
    worker.process.terminate()
    assert worker.process.wait(60) == 0
    assert not any(alive(pid) for pid in below)
    # Calls in flight were finished, and rows that were claimed are back in the queue.
    assert worker.statuses().keys() == {"accepted", "queued"}
    assert worker.statuses()["accepted"] == len(telnyx.ledger)
    leases = worker.query("SELECT COUNT(*) FROM delivery_message WHERE lease_token IS NOT NULL")
    assert leases == [(0,)]
    telnyx.account.options.change({"latency_ms": 0})
    worker.start()
    wait_until(lambda: worker.statuses() == {"accepted": 200})
    assert telnyx.ledger.summary()["duplicates"] == {}
