from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.delivery.redis_state import fresh


@pytest.fixture(autouse=True)
def valkey(settings: Any) -> redis.Redis:
    return fresh(settings, BREAKER_OPEN_SECONDS=1)
