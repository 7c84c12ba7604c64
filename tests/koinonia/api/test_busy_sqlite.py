from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import requests
from django.db import connection

from tests.running_system import RunningSystem

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL waits for rows: see test_idempotency."
)

Write = Callable[[str], requests.Response]


@pytest.fixture
def write(system: RunningSystem) -> Write:
    """Posts a text with a key; patient for less than the twenty seconds that other writers wait."""
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    url = f"{system.url}/api/v1/churches/grace/messages/"
    body = {"to": "+13125550155", "text": "Hi"}
    # The church's stream is begun by its first request, which writes.
    requests.get(url, headers=headers, timeout=30).raise_for_status()
    return lambda key: requests.post(
        url, json=body, headers={**headers, "Idempotency-Key": key}, timeout=15
    )


@contextmanager
def another_writes(system: RunningSystem) -> Iterator[None]:
    with closing(sqlite3.connect(system.data_dir / "koinonia.sqlite3", timeout=30)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


def test_a_key_is_refused_while_another_still_writes(system: RunningSystem, write: Write) -> None:
    with another_writes(system):
        refused = write("busy")
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")
    assert write("busy").status_code == 202


def test_a_key_waits_for_another_who_writes(system: RunningSystem, write: Write) -> None:
    with ThreadPoolExecutor(1) as pool:
        with another_writes(system):
            waiting = pool.submit(write, "patient")
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result().status_code == 202
