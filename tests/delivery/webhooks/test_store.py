from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from django.db import DataError, OperationalError

from delivery.webhooks.event_rows import EventRow
from delivery.webhooks.store import GroupedStore, NotStoredError
from delivery.webhooks.views import receive
from tests.support.waiting import wait_until

OTHERS = 6
NOW = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)


def row(event_id: str) -> EventRow:
    return EventRow("telnyx", event_id, "message.sent", "p1", "", NOW, NOW, {})


class Database:
    """Write the first group slowly, so that other events arrive in the meantime."""

    def __init__(self, refuses: Callable[[list[str]], Exception | None] = lambda ids: None) -> None:
        self.refuses = refuses
        self.groups: list[list[str]] = []
        self.goes_on = threading.Event()

    def write(self, rows: Sequence[EventRow]) -> None:
        ids = [row.event_id for row in rows]
        self.groups.append(ids)
        self.goes_on.wait(10)
        if (error := self.refuses(ids)) is not None:
            raise error


def results(database: Database) -> dict[str, BaseException | None]:
    """Return the results of one event, and of six that arrive during its write."""
    store = GroupedStore(database.write)
    with ThreadPoolExecutor(1 + OTHERS) as pool:
        calls: dict[str, Future[None]] = {}
        for number in range(1 + OTHERS):
            calls[str(number)] = pool.submit(store.store, [row(str(number))], 1)
            wait_until(lambda: len(database.groups) == 1)
        wait_until(lambda: store.waiting == OTHERS)
        database.goes_on.set()
        return {number: call.exception(10) for number, call in calls.items()}


def test_events_that_arrive_while_another_is_written_are_written_together() -> None:
    database = Database()
    assert set(results(database).values()) == {None}
    assert [sorted(group) for group in database.groups] == [["0"], ["1", "2", "3", "4", "5", "6"]]


def test_an_event_that_cannot_be_stored_does_not_block_others() -> None:
    found = results(Database(lambda ids: DataError("no such text") if "3" in ids else None))
    assert [number for number, error in found.items() if error is not None] == ["3"]
    assert isinstance(found["3"], NotStoredError)
    assert isinstance(found["3"].__cause__, DataError)


def test_an_unreachable_database_is_tried_once_per_group() -> None:
    database = Database(lambda ids: OperationalError("gone") if "1" in ids else None)
    found = results(database)
    assert {type(error) for number, error in found.items() if number != "0"} == {NotStoredError}
    assert len(database.groups) == 2


def test_a_host_that_wraps_requests_in_transactions_does_not_wrap_this_one() -> None:
    assert receive._non_atomic_requests == {"default"}  # type: ignore[attr-defined]  # Django's mark
