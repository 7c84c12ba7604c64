"""The indexes of the large tables, and migrations beside writers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, models

from delivery import schema_changes
from delivery.models import Attempt, Message, WebhookEvent
from realtime.models import Event

MOST = {Message: 10, Attempt: 2, WebhookEvent: 5, Event: 2}
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
NAME = "message_for_a_test"
_SPOIL = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass"
_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass"


def indexes(model: type[models.Model]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {
        name: one
        for name, one in found.items()
        if one["index"] or one["unique"] or one["primary_key"]
    }


@pytest.mark.django_db
@pytest.mark.parametrize("model", MOST)
def test_a_large_table_has_few_indexes(model: type[models.Model]) -> None:
    assert len(indexes(model)) <= MOST[model], sorted(indexes(model))


@pytest.mark.django_db
def test_no_index_names_a_column_that_a_call_alone_changes() -> None:
    """Otherwise PostgreSQL writes into every index (no HOT update) when a call begins."""
    alone = {"call_started_at", "counted_generation", "lease_token", "lease_until", "claims"}
    assert not alone & {
        column for one in indexes(Message).values() for column in one["columns"] if column
    }


@pytest.mark.django_db(transaction=True)
def test_an_index_that_failed_halfway_is_built_again() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL builds indexes beside writers.")
    index = models.Index(fields=["parts"], name=NAME)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {NAME} ON delivery_message (parts)")
        cursor.execute(_SPOIL, [NAME])
        try:
            with connection.schema_editor(atomic=False) as editor:
                statement = str(index.create_sql(Message, editor, concurrently=True))
                schema_changes.build_index(connection, NAME, statement)
                schema_changes.build_index(connection, NAME, statement)
            cursor.execute(_IS_VALID, [NAME])
            assert cursor.fetchall() == [(True,)]
        finally:
            cursor.execute(f"DROP INDEX IF EXISTS {NAME}")


class _LockNotAvailableError(Exception):
    sqlstate = "55P03"


def _locked() -> OperationalError:
    error = OperationalError("canceling statement due to lock timeout")
    error.__cause__ = _LockNotAvailableError()
    return error


def test_a_change_waits_for_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("delivery.schema_changes.time.sleep", pauses.append)
    answers = [_locked(), _locked(), None]

    def change() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    schema_changes.repeat(change)
    assert len(pauses) == 2


def test_another_error_is_not_repeated() -> None:
    def change() -> None:
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError, match="disk"):
        schema_changes.repeat(change)


QUERIES: dict[str, tuple[Callable[[], Any], str]] = {
    "expired leases": (lambda: Message.objects.leases_ended(NOW), "message_watched"),
    "on its way": (lambda: Message.objects.watched("accepted", "sent"), "message_watched"),
    "dead letters": (
        lambda: Message.objects.filter(tenant=1).dead_letters(),
        "message_for_people",
    ),
    "requests to stop": (
        lambda: Message.objects.filter(tenant=1).asking_to_stop(),
        "message_for_people",
    ),
    "due": (lambda: Message.objects.due(NOW).filter(priority=0), "message_due_by_provider"),
    "batch": (lambda: Message.objects.filter(batch=1).order_by("-id"), "message_of_batch"),
    "recipient": (
        lambda: Message.objects.filter(recipient=1).order_by("-id"),
        "message_of_recipient",
    ),
    "number": (lambda: Message.objects.filter(to_number="+1"), "(to_number=?)"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", QUERIES)
def test_sqlite_uses_the_partial_indexes(name: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's plans depend on the rows.")
    rows, index = QUERIES[name]
    assert index in rows().explain()
