from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.backends.postgresql.psycopg_any import register_tzloader
from psycopg import adapters
from psycopg.pq import Format

from koinonia.database.postgresql import base
from koinonia.database.postgresql.moments import UtcLoader
from realtime import log
from realtime.log import NewEvent
from realtime.models import Event

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
TIMESTAMPTZ = adapters.types["timestamptz"].oid
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


MOMENTS = [
    "2026-11-30 02:03:04+00",
    "2026-11-30 02:03:04.5+00",
    "2026-11-30 02:03:04.123456+00",
    "2026-11-30 05:03:04+03",
    "2024-02-29 23:59:59.999999-03:30",
    "0001-01-01 00:00:00+00",
    "1883-11-18 12:03:57.99-04:56:02",
]


@only_postgres
@pytest.mark.django_db
@pytest.mark.parametrize("text", MOMENTS)
def test_a_time_is_the_one_that_django_reads(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        (quick,) = cursor.fetchone()
        register_tzloader(UTC, cursor.cursor)
        cursor.execute("SELECT %s::timestamptz", [text])
        (plain,) = cursor.fetchone()
    assert (quick, quick.tzinfo) == (plain, UTC)
    assert plain.tzinfo is UTC


@only_postgres
@pytest.mark.django_db
def test_every_cursor_reads_times_quickly() -> None:
    raw: Any = connection.connection
    assert raw.adapters.get_loader(TIMESTAMPTZ, Format.TEXT) is UtcLoader
    with connection.cursor() as cursor:
        assert cursor.cursor.adapters.get_loader(TIMESTAMPTZ, Format.TEXT) is UtcLoader


@only_postgres
@pytest.mark.django_db
@pytest.mark.parametrize("text", ["infinity", "12026-01-01 00:00+00", "0044-03-15 00:00+00 BC"])
def test_a_time_that_python_cannot_hold_is_an_error_of_the_data(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        with pytest.raises(DataError):
            cursor.fetchone()


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
