"""A group of events takes a fixed number of statements, and waits for no row out of order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from delivery.models import Message, WebhookEvent
from delivery.references import reference
from delivery.statuses import Status
from delivery.tracking import apply_waiting_events
from tests.delivery.tracking.conftest import NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, outbound

pytestmark = pytest.mark.django_db


def texts(message: MakeMessage, number: int, *, first: int = 0) -> list[Message]:
    return [
        message(provider_id=f"p{key}", to_number=f"+1312556{key:04}")
        for key in range(first, first + number)
    ]


def report(message: Message, status: str, provider_id: str | None = None) -> WebhookEvent:
    payload = outbound(provider_id or str(message.provider_id), status)
    return store(event("message.finalized", payload), reference(message.pk))


def statements_of_applying() -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert apply_waiting_events(NOW)
    return [re.sub(r"\d+ times: ", "", query["sql"]) for query in queries.captured_queries]


def updated(statements: list[str], model: type[Message | WebhookEvent]) -> int:
    return sum(sql.startswith(f'UPDATE "{model._meta.db_table}"') for sql in statements)


def test_the_number_of_statements_does_not_depend_on_the_size_of_the_group(
    message: MakeMessage,
) -> None:
    counts = []
    for first, size in [(0, 1), (10, 2), (20, 40)]:
        for one in texts(message, size, first=first):
            report(one, "delivered")
        counts.append(len(statements_of_applying()))
    # The first group also creates the stream of the church.
    assert counts[1] == counts[2]
    assert Message.objects.filter(status=Status.DELIVERED).count() == 43


def test_a_report_without_news_writes_its_event_and_no_message(message: MakeMessage) -> None:
    for one in texts(message, 3):
        report(one, "delivered")
        assert apply_waiting_events(NOW)
        report(one, "sent")
    statements = statements_of_applying()
    assert updated(statements, Message) == 0
    assert updated(statements, WebhookEvent) == 1


def test_applying_reads_no_column_twice(message: MakeMessage) -> None:
    for one in texts(message, 3):
        report(one, "delivered")
    reads = [sql for sql in statements_of_applying() if sql.startswith('SELECT "delivery_message"')]
    assert len(reads) == 1
    assert '"delivery_message"."text"' not in reads[0]


@contextmanager
def locked_by_another_worker(message: Message) -> Iterator[None]:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM delivery_message WHERE id = %s FOR UPDATE", [message.pk])
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
@pytest.mark.django_db(transaction=True)
def test_a_report_waits_for_no_lock_on_a_row_before_those_it_has_locked(
    message: MakeMessage,
) -> None:
    earlier, later = texts(message, 2)
    # The reference names the later message, the provider's id the earlier one.
    waiting = report(later, "delivered", provider_id=str(earlier.provider_id))
    report(later, "delivered")
    with locked_by_another_worker(earlier):
        assert apply_waiting_events(NOW) == 2
    waiting.refresh_from_db()
    assert waiting.applied_at is None
    assert Message.objects.get(pk=later.pk).status == Status.DELIVERED
    assert apply_waiting_events(NOW + timedelta(seconds=1)) == 1
    assert Message.objects.get(pk=earlier.pk).status == Status.DELIVERED
