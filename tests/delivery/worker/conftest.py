from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.worker.running_worker import RunningWorker


@pytest.fixture
def telnyx() -> Iterator[TelnyxSimulator]:
    with TelnyxSimulator() as simulator:
        simulator.account.options.change({"webhooks": False})
        yield simulator


@pytest.fixture
def worker(tmp_path: Path, telnyx: TelnyxSimulator) -> Iterator[RunningWorker]:
    with RunningWorker(
        tmp_path,
        ALONE_API_BASE=telnyx.base,
        ALONE_API_KEY=telnyx.api_key,
        ALONE_REDIS_URL=os.environ["REDIS_URL"],
    ) as running:
        yield running
