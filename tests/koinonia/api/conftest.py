from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.running_system import RunningSystem, database_environment


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    with RunningSystem(tmp_path_factory.mktemp("up"), **database_environment()) as running:
        yield running
