from __future__ import annotations

from typing import Any

import pytest

from tests.delivery.redis_state import fresh


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    fresh(settings).close()
