from __future__ import annotations

from collections.abc import Iterator

import pytest

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.providers.telnyx.simulator.api_client import ApiClient
from tests.delivery.providers.telnyx.simulator.receiver import Receiver
from tests.support.simulator import telnyx, telnyx_process_wide

__all__ = ["telnyx", "telnyx_process_wide"]


@pytest.fixture
def client(telnyx: TelnyxSimulator) -> Iterator[ApiClient]:
    with ApiClient(telnyx) as client:
        yield client


@pytest.fixture
def receiver(telnyx: TelnyxSimulator) -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
