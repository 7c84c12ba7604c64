from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.providers.telnyx.simulator import Options, TelnyxSimulator
from tests.delivery.chaos.platform import Platform


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    # pytest's own directory does not work: its paths are too long for a unix socket, and
    # PostgreSQL's user cannot enter it.
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    options = Options(sent_seconds=0, carrier_seconds=0.005, latency_ms=50)
    with TelnyxSimulator(options=options) as telnyx:
        platform = Platform(directory, telnyx)
        yield platform
        platform.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def platform(running: Platform) -> Iterator[Platform]:
    """Return the running system; its provider answers normally before and after the test."""
    yield running
    running.telnyx.end_outage()
    running.telnyx.account.plan.clear()
