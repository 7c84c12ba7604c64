"""More failures of a stock django-q2 cluster; docs/operations/django-q2.md has the whole list."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.faults import fault
from tests.delivery.worker.running_worker import RunningWorker, kill
from tests.support.waiting import wait_until

DELAYS = (1, 2, 4)


def running(
    tmp_path: Path, telnyx: TelnyxSimulator, clusters: int = 1, **over: str
) -> RunningWorker:
    return RunningWorker(
        tmp_path,
        clusters=clusters,
        ALONE_API_BASE=telnyx.base,
        ALONE_API_KEY=telnyx.api_key,
        ALONE_REDIS_URL="",
        **over,
    )


def test_both_idle_workers_may_be_killed_at_once(tmp_path: Path, telnyx: TelnyxSimulator) -> None:
    with running(tmp_path, telnyx, clusters=2) as worker:
        for pid in wait_until(worker.workers):
            kill(pid)
        worker.script("write_texts", "20", "1")
        wait_until(lambda: worker.statuses() == {"accepted": 20})
    assert telnyx.ledger.summary()["duplicates"] == {}


@pytest.mark.parametrize("part", ["worker", "monitor"])
def test_term_ends_a_cluster_that_has_just_lost_a_process(worker: RunningWorker, part: str) -> None:
    kill(wait_until(worker.tree)[part])
    worker.process.terminate()
    assert worker.process.wait(60) == 0


def test_a_killed_worker_resends_its_claimed_messages(
    worker: RunningWorker, telnyx: TelnyxSimulator
) -> None:
    """Kill twice: a broker that forgets tasks on delivery would lose every task in flight."""
    telnyx.account.options.change({"latency_ms": 400})
    wait_until(worker.tree)
    worker.script("write_texts", "300", "1")
    for taken in (20, 120):
        wait_until(partial(_has_taken, telnyx, taken))
        worker.kill_all()
        assert worker.statuses().get("sending", 0) > 0
        worker.start()
    wait_until(lambda: worker.statuses() == {"accepted": 300})
    summary = telnyx.ledger.summary()
    assert (summary["accepted"], summary["duplicates"]) == (300, {})


def _has_taken(telnyx: TelnyxSimulator, texts: int) -> bool:
    return len(telnyx.ledger) > texts


def test_a_text_that_kills_its_worker_does_so_five_times_and_others_are_sent(
    tmp_path: Path, telnyx: TelnyxSimulator
) -> None:
    crashing = "tests.delivery.alone.crashing_provider.CrashingProvider"
    with running(tmp_path, telnyx, ALONE_PROVIDER=crashing, ALONE_LEASE_SECONDS="1") as worker:
        worker.script("write_texts", "1", "1", "Poison")
        wait_until(lambda: worker.statuses() == {"unknown": 1}, 60)
        worker.script("write_texts", "20", "2")
        wait_until(lambda: worker.statuses() == {"unknown": 1, "accepted": 20})
        said = worker.query("SELECT error_code, attempts FROM delivery_message WHERE calls > 1")
        deaths = worker.query("SELECT code FROM delivery_attempt WHERE outcome = 'ambiguous'")
    assert said == [("crash_loop", 0)]
    assert deaths == [("worker_lost",)] * 5


def test_retries_are_on_time_to_the_second(worker: RunningWorker, telnyx: TelnyxSimulator) -> None:
    telnyx.account.plan.add(fault("503"), count=len(DELAYS))
    worker.script("write_texts", "1", "1")
    # The scheduler of django-q2 looks every thirty seconds.
    wait_until(lambda: worker.statuses() == {"accepted": 1}, 60)
    rows = worker.query("SELECT started_at, duration_ms FROM delivery_attempt ORDER BY number")
    begun = [datetime.fromisoformat(str(started)) for started, _ in rows]
    ended = [at + timedelta(milliseconds=ms) for at, (_, ms) in zip(begun, rows, strict=True)]
    pauses = [later - earlier for earlier, later in zip(ended, begun[1:], strict=False)]
    assert len(pauses) == len(DELAYS)
    for pause, delay in zip(pauses, DELAYS, strict=True):
        assert timedelta(seconds=delay - 0.01) <= pause < timedelta(seconds=30)


def test_no_result_is_saved(worker: RunningWorker, telnyx: TelnyxSimulator) -> None:
    """Check the table: a saved result costs a stock cluster a transaction that reads up to 250
    others."""
    worker.script("write_texts", "50", "1")
    wait_until(lambda: worker.statuses() == {"accepted": 50})
    worker.process.terminate()
    assert worker.process.wait(60) == 0
    assert worker.query("SELECT COUNT(*) FROM django_q_task") == [(0,)]
