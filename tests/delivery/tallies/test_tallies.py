"""The tallies equal the messages, whatever happens to them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery.models import Message, Tally
from delivery.statuses import Status
from delivery.tallies import install
from delivery.tallies.counted import COLUMNS, SENT
from delivery.tallies.reading import waiting
from delivery.tallies.recount import fold, quarter_of, recount
from koinonia.models import Church

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
_STATUSES = [status.value for status in Status if status not in {Status.SENDING, Status.RECEIVED}]


def text(church: Church, status: str, at: datetime = NOW, **over: Any) -> Message:
    return Message(
        tenant=church, status=status, to_number="+13125550001", from_number="+13125550100",
        text="Hello", created_at=at, updated_at=at, next_attempt_at=at, **over,
    )  # fmt: skip


def columns_of(message: Message) -> Counter[str]:
    found = Counter[str]()
    found["sent"] = message.status in SENT
    found["delivered"] = message.status == "delivered"
    found["failed"] = message.status == "failed"
    found["dead"] = message.status in {"dead", "unknown"}
    if message.discarded_at is None and message.status in {"dead", "unknown"}:
        found[f"waiting_{message.status}"] = 1
    return found


def expected(horizon: int = 0) -> dict[tuple[Any, int], Counter[str]]:
    found: dict[tuple[Any, int], Counter[str]] = {}
    for message in Message.objects.all():
        at = quarter_of(message.created_at)
        for tenant in (message.tenant_id, None):
            for column, number in columns_of(message).items():
                old = at < horizon or column.startswith("waiting")
                total = found.setdefault((tenant, 0 if old else at), Counter())
                total[column] += number
    return {key: +total for key, total in found.items() if +total}


def told() -> dict[tuple[Any, int], Counter[str]]:
    rows = Tally.objects.values_list("tenant", "quarter").annotate(*map(Sum, COLUMNS)).order_by()
    found = {
        (tenant, at): Counter({
            column: int(number) for column, number in zip(COLUMNS, sums, strict=True) if number
        })
        for tenant, at, *sums in rows
    }  # fmt: skip
    return {key: total for key, total in found.items() if total}


_times = st.integers(0, 4).map(lambda number: NOW - timedelta(minutes=7 * number))
_moves = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(_STATUSES), _times),
        st.tuples(st.just("move"), st.sampled_from(_STATUSES), st.sets(st.integers(0, 9))),
        st.tuples(st.just("discard"), st.booleans(), st.sets(st.integers(0, 9))),
        st.tuples(st.just("delete"), st.none(), st.sets(st.integers(0, 9), max_size=2)),
        st.tuples(st.just("fold"), st.none(), st.none()),
    ),
    max_size=12,
)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(moves=_moves)
def test_the_tallies_equal_the_messages_after_any_history(
    moves: list[tuple[str, Any, Any]], grace: Church, hope: Church
) -> None:
    Message.objects.all().delete()
    for kind, value, chosen in moves:
        keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        some = Message.objects.filter(pk__in=[keys[n] for n in chosen or () if n < len(keys)]) if (
            kind in {"move", "discard", "delete"}
        ) else Message.objects.none()  # fmt: skip
        if kind == "create":
            Message.objects.bulk_create([text(church, value, chosen) for church in (grace, hope)])
        elif kind == "move":
            some.update(status=value)
        elif kind == "discard":
            some.update(discarded_at=NOW if value else None)
        elif kind == "delete":
            some.delete()
        else:
            fold(NOW + timedelta(days=1))
    assert told() == expected()


def test_old_quarters_become_one_row(grace: Church) -> None:
    days = (1, 40, 41, 200)
    Message.objects.bulk_create(
        [text(grace, "delivered", NOW - timedelta(days=day)) for day in days]
    )
    horizon = quarter_of(NOW - timedelta(days=33))
    assert fold(NOW) > 0
    assert told() == expected(horizon)
    Message.objects.all().update(status="failed")
    fold(NOW)
    assert told() == expected(horizon)
    assert Tally.objects.filter(tenant=grace).count() == 2


def test_dead_letters_of_any_age_wait_in_one_quarter(grace: Church, hope: Church) -> None:
    days = (0, 1, 40, 400)
    for church in (grace, hope):
        Message.objects.bulk_create(
            [text(church, "dead", NOW - timedelta(days=day)) for day in days]
        )
    Message.objects.filter(tenant=hope)[:1].get().delete()
    assert (waiting(), waiting(hope.pk)) == ({"dead": 7, "unknown": 0}, {"dead": 3, "unknown": 0})
    quarters = Tally.objects.exclude(waiting_dead=0).values_list("quarter", flat=True)
    assert set(quarters) == {0}
    fold(NOW)
    Message.objects.filter(tenant=grace).update(status="unknown")
    Message.objects.filter(tenant=hope).update(discarded_at=NOW)
    assert (waiting(), waiting(hope.pk)) == ({"dead": 0, "unknown": 4}, {"dead": 0, "unknown": 0})


@pytest.mark.parametrize("age", [0, 400])
def test_a_recount_moves_what_the_release_before_counted_in_its_quarter(
    grace: Church, age: int
) -> None:
    Message.objects.bulk_create([text(grace, "dead", NOW - timedelta(days=age))])
    Tally.objects.filter(quarter=0).delete()
    Tally.objects.filter(quarter__gt=0).update(waiting_dead=1)
    assert waiting()["dead"] == 0
    recount(NOW)
    assert told() == expected()
    assert waiting()["dead"] == waiting(grace.pk)["dead"] == 1


def test_a_change_of_no_counted_status_writes_no_tally(grace: Church) -> None:
    Message.objects.bulk_create([text(grace, "queued"), text(grace, "scheduled")])
    Message.objects.all().update(claims=1, status="retrying")
    assert told() == {}


def test_rows_that_were_written_without_the_triggers_are_counted_by_a_recount(
    grace: Church, hope: Church
) -> None:
    Message.objects.bulk_create([text(grace, "delivered"), text(hope, "dead")])
    Tally.objects.all().delete()
    Message.objects.filter(tenant=grace).update(status="failed")
    recount(NOW)
    assert told() == expected()
    recount(NOW)
    assert told() == expected()


@pytest.mark.django_db(transaction=True)
def test_migrate_makes_missing_triggers_and_counts_what_they_missed(grace: Church) -> None:
    kept = install.kept
    kept._drop(connection, kept._existing(connection))
    Tally.objects.filter(**kept.mark).delete()
    # A recount folds old quarters.
    Message.objects.bulk_create([text(grace, "delivered", timezone.now())])
    assert told() == {}
    kept.after_migrate(using="default")
    assert told() == expected()
    Message.objects.all().update(status="failed")
    assert told() == expected()


def test_tallies_of_a_deleted_tenant_are_pruned(grace: Church) -> None:
    Tally.objects.create(tenant_id=grace.pk + 1000, quarter=5, shard=7, sent=3)
    fold(NOW)
    assert not Tally.objects.filter(tenant_id=grace.pk + 1000).exists()
