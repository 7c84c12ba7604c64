from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import requests
from django.db import connection

from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL waits for rows: see test_idempotency."
)

Write = Callable[[str], requests.Response]


@pytest.fixture
def write(system: RunningSystem) -> Write:
    """Return a function that posts a text with a key and waits less than other writers (20 s)."""
    headers = {"Authorization": f"Bearer {system.token('grace-sender')}"}
    url = f"{system.url}/api/v1/churches/grace/messages/"
    body = {"to": "+13125550155", "text": "Hi"}
    # The first request creates the stream of the church, which is a write.
    requests.get(url, headers=headers, timeout=30).raise_for_status()
    return lambda key: requests.post(
        url, json=body, headers={**headers, "Idempotency-Key": key}, timeout=15
    )


@contextmanager
def held_by_another_writer(system: RunningSystem) -> Iterator[None]:
    with closing(sqlite3.connect(system.data_dir / "koinonia.sqlite3", timeout=30)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


def test_a_key_is_refused_while_another_request_writes_too_long(
    system: RunningSystem, write: Write
) -> None:
    with held_by_another_writer(system):
        refused = write("busy")
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")
    assert write("busy").status_code == 202


def test_a_key_waits_for_another_writer(system: RunningSystem, write: Write) -> None:
    with ThreadPoolExecutor(1) as pool:
        with held_by_another_writer(system):
            waiting = pool.submit(write, "patient")
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result().status_code == 202
