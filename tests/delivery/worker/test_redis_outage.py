from __future__ import annotations

from pathlib import Path

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.worker.running_worker import RunningWorker
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until


def test_a_worker_keeps_sending_while_redis_stops_and_starts(
    tmp_path: Path, telnyx: TelnyxSimulator
) -> None:
    directory = tmp_path / "v"
    directory.mkdir()
    valkey = ValkeyServer(directory)
    valkey.stop()
    worker = RunningWorker(
        tmp_path,
        ALONE_API_BASE=telnyx.base,
        ALONE_API_KEY=telnyx.api_key,
        ALONE_REDIS_URL=valkey.url,
    )
    with worker:
        wait_until(worker.tree)
        worker.script("write_texts", "20", "1")
        wait_until(lambda: worker.statuses() == {"accepted": 20})
        valkey.start()
        worker.script("write_texts", "20", "2")
        wait_until(lambda: worker.statuses() == {"accepted": 40})
        valkey.stop()
        worker.script("write_texts", "20", "3")
        wait_until(lambda: worker.statuses() == {"accepted": 60})
    assert telnyx.ledger.summary()["accepted"] == 60
