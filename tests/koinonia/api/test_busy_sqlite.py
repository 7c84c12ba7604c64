from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
import requests
from django.db import connection

from tests.running_system import RunningSystem

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL waits for rows: see test_idempotency."
)


def test_a_key_waits_five_seconds_for_another_writer_not_twenty(system: RunningSystem) -> None:
    headers = {
        "Authorization": f"Bearer {system.token('grace-sender')}", "Idempotency-Key": "busy",
    }  # fmt: skip
    url = f"{system.url}/api/v1/churches/grace/messages/"
    body = {"to": "+13125550155", "text": "Hi"}
    # The church's stream is begun by its first request, which writes.
    requests.get(url, headers=headers, timeout=30).raise_for_status()
    with closing(sqlite3.connect(system.data_dir / "koinonia.sqlite3")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        refused = requests.post(url, json=body, headers=headers, timeout=30)
        waited = time.monotonic() - began
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")
    assert 5 <= waited < 15
    assert requests.post(url, json=body, headers=headers, timeout=30).status_code == 202
