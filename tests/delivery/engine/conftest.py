from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.delivery.engine.scripted import HeldProvider
from tests.delivery.redis_state import fresh


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    fresh(settings).close()


@pytest.fixture
def provider() -> Iterator[HeldProvider]:
    held = HeldProvider()
    yield held
    held.released.set()
