from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from koinonia.database.postgresql import base
from realtime import log
from realtime.log import NewEvent
from realtime.models import Event

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
only_postgres = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite prepares all statements."
)


@only_postgres
@pytest.mark.django_db
def test_the_append_to_the_log_is_prepared() -> None:
    for _ in range(base.PREPARE_THRESHOLD + 1):
        with transaction.atomic():
            log.append({"church:grace": [NewEvent("note", {})]}, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        prepared = [statement for (statement,) in cursor.fetchall()]
    assert any("UPDATE realtime_stream" in statement for statement in prepared)


@only_postgres
@pytest.mark.django_db
def test_the_append_to_the_log_works_on_a_connection_that_prepares_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw: Any = connection.connection
    monkeypatch.setattr(raw, "prepare_threshold", None)
    with transaction.atomic():
        log.append({"church:grace": [NewEvent("note", {})]}, now=NOW)
        log.append({"church:grace": [NewEvent("one", {}), NewEvent("two", {})]}, now=NOW)
    assert list(Event.objects.values_list("seq", "type")) == [(1, "note"), (2, "one"), (3, "two")]


@pytest.mark.any_database
@pytest.mark.parametrize(("pid", "is_the_same"), [(7, True), (8, False)])
def test_a_session_behind_a_pooler_is_recognised_by_its_process_id(
    pid: int, is_the_same: bool
) -> None:
    class Raw:
        info = SimpleNamespace(backend_pid=7)

        def execute(self, query: str) -> SimpleNamespace:
            return SimpleNamespace(fetchone=lambda: (pid,))

    assert base._is_the_same_session(Raw()) is is_the_same
