"""The Telnyx simulator for tests: one per session, reset before each test.

In a conftest: ``from tests.support.simulator import telnyx, telnyx_process_wide  # noqa: F401``; or
directly: ``with running_simulator() as telnyx``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from delivery.providers.telnyx.simulator import Options, TelnyxSimulator


def fast_options() -> Options:
    """Return options without delays."""
    return Options(sent_seconds=0, carrier_seconds=0.005, webhook_retry_seconds=0.02)


@contextmanager
def running_simulator(options: Options | None = None) -> Iterator[TelnyxSimulator]:
    with TelnyxSimulator(options=options or fast_options()) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def telnyx_process_wide() -> Iterator[TelnyxSimulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def telnyx(telnyx_process_wide: TelnyxSimulator) -> Iterator[TelnyxSimulator]:
    """Return the reset simulator on a free port."""
    telnyx_process_wide.reset()
    yield telnyx_process_wide
    telnyx_process_wide.reset()
