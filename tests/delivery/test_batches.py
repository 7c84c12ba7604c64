"""The counts of batches equal the messages, whatever writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery import batches
from delivery.accept import accept_batch
from delivery.batches.triggers import triggers
from delivery.drafts import Draft
from delivery.models import BatchCount, Message
from delivery.queue import claim
from delivery.queue.turns import Turns
from delivery.statuses import Status
from koinonia.models import Church

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LEASE = timedelta(minutes=1)
OUTBOUND = [status for status in Status if status != Status.RECEIVED]

pytestmark = pytest.mark.django_db


def write(church: Church, batch: int | None, number: int = 4) -> list[Message]:
    rows = [
        Message(
            tenant=church, to_number=f"+1312555{key:04}", from_number="+13125550100", text="Dear all",
            batch=batch, created_at=NOW, updated_at=NOW, next_attempt_at=NOW,
        )
        for key in range(number)
    ]  # fmt: skip
    return Message.objects.bulk_create(rows)


def of_messages() -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    rows = Message.objects.filter(batch__isnull=False).order_by().values_list("batch", "status")
    for batch, status, number in rows.annotate(number=Count("pk")):
        found.setdefault(batch or 0, {})[status] = number
    return found


def kept() -> dict[int, dict[str, int]]:
    known = set(BatchCount.objects.filter(batch__gte=0).values_list("batch", flat=True))
    return {batch: counts for batch, counts in batches.counts_of(known).items() if counts}


def move(row: Message, status: Status) -> None:
    """Write a status as any release does: raw, with the lease that a constraint demands."""
    sending = status == Status.SENDING
    values: dict[str, Any] = {"status": status, "lease_token": None, "lease_until": None}
    if sending:
        values |= {"lease_token": uuid4(), "lease_until": NOW + LEASE}
        if row.status != Status.SENDING:
            values["claimed_from"] = row.status
    Message.objects.filter(pk=row.pk).update(**values)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(0, 11), st.sampled_from(OUTBOUND)),
        st.tuples(st.just("regroup"), st.integers(0, 11), st.sampled_from([None, 1, 2, 3])),
        st.tuples(st.just("delete"), st.integers(0, 11), st.none()),
        st.tuples(st.just("roll back"), st.integers(0, 11), st.sampled_from(OUTBOUND)),
    ),
    max_size=30,
)


@pytest.mark.django_db(transaction=True)
@settings(
    deadline=None, max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_counts_equal_the_messages_after_any_history(grace: Church, steps: Any) -> None:
    Message.objects.all().delete()
    keys = [row.pk for batch in (None, 1, 2) for row in write(grace, batch)]
    for action, place, value in steps:
        row = Message.objects.filter(pk=keys[place]).first()
        if row is None:
            continue
        if action == "move":
            move(row, value)
        elif action == "regroup":
            taken = Message.objects.filter(batch=value, to_number=row.to_number)
            if value is None or not taken.exists():
                Message.objects.filter(pk=row.pk).update(batch=value)
        elif action == "delete":
            row.delete()
        else:
            with transaction.atomic():
                move(row, value)
                transaction.set_rollback(True)
    assert kept() == of_messages()
    batches.fold()
    assert kept() == of_messages()


def test_a_new_batch_is_counted_by_its_insert(grace: Church) -> None:
    drafts = [Draft(to=f"+1312555{key:04}", text="Dear all") for key in range(1200)]
    accept_batch(grace, drafts, batch=7, now=NOW)
    assert batches.counts_of([7, 8]) == {7: {"queued": 1200}, 8: {}}


def test_a_claim_is_shown_and_writes_no_count(grace: Church) -> None:
    accept_batch(grace, [Draft(to="+13125550001", text="Dear all")], batch=7, now=NOW)
    before = list(BatchCount.objects.order_by("pk").values_list("pk", "number"))
    [turn] = Turns().now(NOW)
    assert claim.claim(turn, 10, NOW)
    assert batches.counts_of([7]) == {7: {"sending": 1}}
    assert list(BatchCount.objects.order_by("pk").values_list("pk", "number")) == before


def test_reading_many_batches_takes_one_query_and_no_look_at_the_messages(grace: Church) -> None:
    for batch in range(1, 6):
        write(grace, batch, 2)
    with CaptureQueriesContext(connection) as queries:
        found = batches.counts_of(range(1, 6))
    assert found == {batch: {"queued": 2} for batch in range(1, 6)}
    assert len(queries) == 1


def test_without_the_mark_the_messages_are_counted(grace: Church) -> None:
    write(grace, 7)
    BatchCount.objects.all().delete()
    assert batches.counts_of([7, 8]) == {7: {"queued": 4}, 8: {}}


@pytest.mark.django_db(transaction=True)
def test_migrate_counts_the_messages_that_were_written_without_triggers(grace: Church) -> None:
    write(grace, 7)
    with connection.cursor() as cursor:
        for one in triggers(connection):
            on = " ON delivery_message" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {one.name}{on}")
    Message.objects.filter(batch=7).update(status=Status.CANCELLED)
    write(grace, 8)
    batches.kept.after_migrate(using="default")
    assert kept() == {7: {"cancelled": 4}, 8: {"queued": 4}}
    Message.objects.filter(batch=8).update(status=Status.CANCELLED)
    assert kept() == of_messages()


def test_an_interrupted_recount_is_repeated_and_a_finished_one_is_not(grace: Church) -> None:
    write(grace, 7)
    BatchCount.objects.filter(batch=7).update(number=1)
    batches.kept.after_migrate(using="default")
    assert kept() == {7: {"queued": 1}}
    BatchCount.objects.filter(batch__lt=0).delete()
    batches.kept.after_migrate(using="default")
    batches.kept.after_migrate(using="default")
    assert kept() == {7: {"queued": 4}}


def test_folding_adds_up_the_rows_of_all_backends(grace: Church) -> None:
    write(grace, 7)
    BatchCount.objects.create(batch=7, status="queued", shard=1, number=-3)
    BatchCount.objects.create(batch=7, status="sent", shard=2, number=3)
    BatchCount.objects.create(batch=7, status="sent", shard=3, number=0)
    batches.fold()
    assert batches.counts_of([7]) == {7: {"queued": 1, "sent": 3}}
    if connection.vendor == "postgresql":
        rows = BatchCount.objects.filter(batch=7).order_by("status")
        assert list(rows.values_list("status", "shard", "number")) == [
            ("queued", 0, 1), ("sent", 0, 3),
        ]  # fmt: skip


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_two_open_transactions_of_one_batch_do_not_wait_for_each_other(grace: Church) -> None:
    first, second = write(grace, 7, 2)
    other = connection.copy()
    try:
        with other.cursor() as cursor, transaction.atomic():
            move(first, Status.ACCEPTED)
            cursor.execute("SET lock_timeout = '1s'")
            cursor.execute(
                "UPDATE delivery_message SET status = 'accepted' WHERE id = %s", [second.pk]
            )
            batches.fold()
    finally:
        other.close()
    assert kept() == {7: {"accepted": 2}}
