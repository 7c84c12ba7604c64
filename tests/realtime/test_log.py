from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from realtime import log, log_reader, retention
from realtime.log import NewEvent
from realtime.log_reader import PrunedError
from realtime.models import Event, Stream, Ticket

NOW = datetime(2026, 11, 24, 12, 30, 15, 123999, tzinfo=UTC)


def append(key: str, *numbers: int, now: datetime = NOW) -> None:
    with transaction.atomic():
        log.append({key: [NewEvent("number", {"n": n}) for n in numbers]}, now=now)


def read(key: str, after: int = 0) -> list[int]:
    page = log_reader.read_page(log_reader.read_head(key), after, 10_000, None)
    return [event["data"]["n"] for event in json.loads(f"[{page.events}]")]


@pytest.mark.django_db
def test_events_are_numbered_from_one_in_each_stream() -> None:
    append("church:grace", 10, 11)
    append("church:hope", 20)
    append("church:grace", 12)
    assert read("church:grace") == [10, 11, 12]
    assert log.position("church:grace").seq == 3
    assert log.position("church:hope").seq == 1


@pytest.mark.django_db
def test_an_event_is_stored_as_the_json_for_clients() -> None:
    with transaction.atomic():
        log.append(
            {"church:grace": [NewEvent("note", {"text": "Grüße \u2028 </script>"})]}, now=NOW
        )
    assert json.loads(Event.objects.get().body) == {
        "seq": 1,
        "type": "note",
        "at": "2026-11-24T12:30:15.123Z",
        "data": {"text": "Grüße \u2028 </script>"},
    }


@pytest.mark.django_db(transaction=True)
def test_append_needs_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        log.append({"church:grace": [NewEvent("note", {})]}, now=NOW)


@pytest.mark.django_db
def test_an_append_without_events_creates_no_stream() -> None:
    with transaction.atomic():
        log.append({"church:grace": []}, now=NOW)
    assert not Stream.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_returns_the_numbers() -> None:
    append("church:grace", 1)
    with transaction.atomic():
        log.append({"church:grace": [NewEvent("number", {"n": 0})]}, now=NOW)
        transaction.set_rollback(True)
    append("church:grace", 2)
    assert read("church:grace") == [1, 2]
    assert log.position("church:grace").seq == 2


@pytest.mark.django_db
def test_pages_end_at_the_limits_of_events_and_size() -> None:
    append("church:grace", *range(1, 11))
    head = log_reader.read_head("church:grace")
    assert log_reader.read_page(head, 3, 4).last == 7
    assert log_reader.read_page(head, 3, 4, 1).last == 4
    assert log_reader.read_page(head, 10).events == ""


only_postgres = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has one writer at a time."
)
WRITERS = 4
ROUNDS = 40


@pytest.mark.django_db(transaction=True)
@only_postgres
@pytest.mark.parametrize("seed", range(3))
def test_concurrent_writers_cause_no_gap_no_reordering_and_no_phantom(seed: int) -> None:
    """Let four writers append and roll back at random, while a reader polls by ``seq``."""
    committed: list[int] = []
    finished = threading.Event()

    def write(writer: int) -> None:
        random = Random(f"{seed} {writer}")
        for round_ in range(ROUNDS):
            first = (writer * ROUNDS + round_) * 10
            numbers = list(range(first, first + random.randint(1, 5)))
            try:
                with transaction.atomic():
                    events = [NewEvent("number", {"n": n}) for n in numbers]
                    log.append({"church:grace": events, "church:hope": events[:1]}, now=NOW)
                    if random.random() < 0.3:
                        raise ZeroDivisionError
                committed.extend(numbers)
            except ZeroDivisionError:
                pass
        connection.close()

    def follow() -> list[int]:
        seen: list[int] = []
        last = False
        while not last:
            last = finished.is_set()
            seen.extend(read("church:grace", len(seen)))
        connection.close()
        return seen

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reader = pool.submit(follow)
        try:
            for writer in [pool.submit(write, number) for number in range(WRITERS)]:
                writer.result()
        finally:
            finished.set()
        seen = reader.result()
    assert sorted(seen) == sorted(committed)
    assert seen == read("church:grace")
    # The log keeps the order of each writer and of each transaction.
    for number in range(WRITERS):
        own = [n for n in seen if n // (ROUNDS * 10) == number]
        assert own == sorted(own)


@pytest.mark.django_db(transaction=True)
@only_postgres
def test_a_serial_column_loses_late_commits_and_the_log_does_not() -> None:
    """Show that a reader of ``id > last id`` misses the slower of two transactions."""
    append("church:grace", 0)
    started, may_commit = threading.Event(), threading.Event()
    stream = Stream.objects.create(key="serial")

    def slow() -> None:
        with transaction.atomic():
            Event.objects.create(stream=stream, seq=1, type="slow", body="{}", at=NOW)
            started.set()
            may_commit.wait(10)
        connection.close()

    seen: list[str] = []

    def poll(cursor: int) -> int:
        for event in Event.objects.filter(stream=stream, id__gt=cursor).order_by("id"):
            seen.append(event.type)
            cursor = event.pk
        return cursor

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(slow)
        started.wait(10)
        Event.objects.create(stream=stream, seq=2, type="fast", body="{}", at=NOW)
        cursor = poll(0)
        may_commit.set()
        writer.result()
    poll(cursor)
    assert seen == ["fast"]

    # With the log, the fast writer waits until the slow writer commits its number.
    started.clear()
    may_commit.clear()

    def slow_append() -> None:
        with transaction.atomic():
            log.append({"church:grace": [NewEvent("number", {"n": 1})]}, now=NOW)
            started.set()
            may_commit.wait(10)
        connection.close()

    def fast_append() -> None:
        append("church:grace", 2)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow_append)
        started.wait(10)
        second = pool.submit(fast_append)
        assert read("church:grace", 1) == []
        may_commit.set()
        first.result()
        second.result()
    assert read("church:grace", 1) == [1, 2]


@pytest.mark.django_db
def test_pruning_keeps_events_by_age_and_by_number(settings: pytest.FixtureRequest) -> None:
    settings.REALTIME = {"RETENTION_DAYS": 7, "EVENTS_KEPT": 4}  # type: ignore[attr-defined]  # pytest-django's
    append("church:grace", 1, 2, now=NOW - timedelta(days=8))
    append("church:grace", 3, 4)
    append("church:hope", *range(1, 8))
    assert retention.prune(NOW, dry_run=True)["events"] == 5
    assert Event.objects.count() == 11
    assert retention.prune(NOW)["events"] == 5
    assert read("church:grace", 2) == [3, 4]
    assert read("church:hope", 3) == [4, 5, 6, 7]
    assert not log_reader.read_head("church:grace").can_resume(1, None)
    assert log_reader.read_head("church:grace").can_resume(2, None)


@pytest.mark.django_db
@pytest.mark.parametrize("events", [1, 3000])
def test_one_statement_finds_nothing_to_prune_in_all_streams(
    events: int, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    append("church:grace", *range(events))
    append("church:hope", *range(events))
    with django_assert_num_queries(2):  # and one for the tickets
        assert retention.prune(NOW, dry_run=True)["events"] == 0


@pytest.mark.django_db
def test_old_events_after_a_lost_one_are_pruned() -> None:
    append("church:grace", 1, 2, now=NOW - timedelta(days=400))
    append("church:grace", 3)
    Event.objects.filter(seq=1).delete()
    assert retention.prune(NOW)["events"] == 1
    assert read("church:grace", 2) == [3]


@pytest.mark.django_db
def test_a_reader_gets_an_error_for_pruned_events() -> None:
    append("church:grace", 1, 2, 3)
    before = log_reader.read_head("church:grace")
    Event.objects.filter(seq=1).delete()
    with pytest.raises(PrunedError):
        log_reader.read_page(before, 0)


@pytest.mark.django_db
def test_expired_tickets_are_pruned(django_user_model: type) -> None:
    user = django_user_model.objects.create_user("ann")  # type: ignore[attr-defined]  # the configured user model
    for seconds in (-1, 1):
        Ticket.objects.create(
            digest=str(seconds),
            user=user,
            session_hash="x",
            expires_at=NOW + timedelta(seconds=seconds),
        )
    assert retention.prune(NOW)["tickets"] == 1
    assert Ticket.objects.get().digest == "1"
