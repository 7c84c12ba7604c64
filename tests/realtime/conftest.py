from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.realtime.second_project.processes import SecondProject
from tests.support.valkey import ValkeyServer

NewClub = Callable[..., SecondProject]


def _database(request: pytest.FixtureRequest, directory: Path) -> str:
    if request.config.getoption("database") == "sqlite":
        return f"sqlite:///{directory / 'project.sqlite3'}"
    url = os.environ["DATABASE_URL"]
    name = f"project_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.rpartition("/")[0] + f"/{name}"


@pytest.fixture(scope="module")
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecondProject]:
    """Run a second project with its own Valkey."""
    directory = tmp_path_factory.mktemp("club")
    valkey = ValkeyServer(directory)
    project = SecondProject(_database(request, directory), valkey.url)
    project.valkey = valkey
    yield project
    project.close()
    valkey.stop()


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def port(project: SecondProject, request: pytest.FixtureRequest) -> int:
    """Return the port of a running server."""
    return project.serve(request.param)


@pytest.fixture
def stream(project: SecondProject) -> str:
    """Return the stream of a new club."""
    return f"club:{uuid.uuid4().hex[:8]}"


@pytest.fixture
def session(project: SecondProject, stream: str) -> str:
    """Return the session of a new member of that club."""
    key: Any = project.write("member", f"ann-{uuid.uuid4().hex[:8]}", stream.partition(":")[2])
    return str(key)
