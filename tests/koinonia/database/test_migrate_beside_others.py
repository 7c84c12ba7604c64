"""``migrate`` on PostgreSQL beside a report: it stops nobody for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from delivery import schema_changes
from delivery.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report() -> Iterator[Any]:
    """Hold a transaction open that has read every table."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer, and readers do not wait for it.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with psycopg.connect(connection.connection.info.dsn) as other:
        for table in connection.introspection.table_names():
            other.execute(f'SELECT 1 FROM "{table}" LIMIT 1'.encode())  # noqa: S608  # a name of ours
        yield other


def test_an_empty_migrate_needs_no_lock(report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("httpopt.versions.brief_locks.TRIES", 1)
    monkeypatch.setattr(schema_changes, "_TRIES", 1)
    call_command("migrate", verbosity=0)


def test_a_change_of_the_schema_gives_up_before_others_have_waited_long(
    report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        report.rollback()

    monkeypatch.setattr("delivery.schema_changes.time.sleep", pause)
    statement = f"ALTER TABLE {Message._meta.db_table} ADD COLUMN for_a_test integer"
    with (
        pytest.raises(OperationalError, match="lock timeout"),
        connection.schema_editor() as atomic,
    ):
        atomic.execute(statement)
    assert pauses == []
    try:
        with connection.schema_editor(atomic=False) as editor:
            editor.execute(statement)
        assert len(pauses) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {Message._meta.db_table} DROP COLUMN IF EXISTS for_a_test")
