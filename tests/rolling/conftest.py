from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import ValkeyServer


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    (tmp_path / "valkey").mkdir()
    server = ValkeyServer(tmp_path / "valkey")
    yield server
    server.stop()
