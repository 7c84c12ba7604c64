from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from koinonia.database.sqlite import write_queue
from tests.koinonia.database.other_writer import OtherWriter, databases
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, number INTEGER UNIQUE)")
    return file


@pytest.fixture
def connections(file: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[ConnectionHandler]:
    """Return the connections to the file: one for each thread."""
    handler = ConnectionHandler(databases(file))
    with django_db_blocker.unblock():
        yield handler
        handler.close_all()


@pytest.fixture
def ours(connections: ConnectionHandler) -> Any:
    return connections["default"]


@pytest.fixture
def other(file: Path) -> Iterator[OtherWriter]:
    other = OtherWriter(file)
    yield other
    other.close()


@pytest.fixture
def in_thread(connections: ConnectionHandler) -> Iterator[Callable[..., Future[Any]]]:
    """Return a function that runs another one in a thread with a connection of its own."""

    def run(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(connections["default"], *arguments)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(4) as pool:
        yield lambda function, *arguments: pool.submit(run, function, *arguments)


@pytest.fixture
def only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writers of this process look at the file only when they are woken."""
    monkeypatch.setattr(write_queue, "_LOOK_AGAIN_SECONDS", 60.0)


def add(connection: Any, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO note (number) VALUES (%s)", [number])


def numbers(connection: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM note ORDER BY id")
        return [number for (number,) in cursor.fetchall()]


def begin(connection: Any) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def commit(connection: Any) -> None:
    connection.commit()
    connection.set_autocommit(True)


def add_in_transaction(connection: Any, number: int) -> None:
    begin(connection)
    add(connection, number)
    commit(connection)


def wait_at_most(connection: Any, milliseconds: int) -> None:
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


WAYS = {"a transaction": add_in_transaction, "a single statement": add}


@pytest.mark.parametrize("way", WAYS)
def test_a_waiting_writer_is_woken_by_the_commit_of_another_process(
    way: str, other: OtherWriter, in_thread: Any, ours: Any, only_woken: None
) -> None:
    other.order("begin")
    other.order("add", "1")
    waiting = in_thread(WAYS[way], 2)
    with pytest.raises(TimeoutError):
        waiting.result(0.3)
    other.order("commit")
    waiting.result(10)
    assert numbers(ours) == [1, 2]


@pytest.mark.parametrize("way", WAYS)
def test_a_waiting_writer_is_woken_by_another_thread(
    way: str, in_thread: Any, ours: Any, only_woken: None
) -> None:
    begin(ours)
    add(ours, 1)
    waiting = in_thread(WAYS[way], 2)
    with pytest.raises(TimeoutError):
        waiting.result(0.3)
    commit(ours)
    waiting.result(10)
    assert numbers(ours) == [1, 2]


def test_a_writer_without_the_queue_delays_others_by_a_moment(
    file: Path, in_thread: Any, ours: Any
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        waiting = in_thread(add_in_transaction, 2)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        foreign.execute("COMMIT")
        waiting.result(10)
    assert numbers(ours) == [2]


@pytest.mark.parametrize("way", WAYS)
def test_a_writer_gives_up_after_its_timeout_with_the_error_of_sqlite(
    way: str, other: OtherWriter, ours: Any
) -> None:
    other.order("begin")
    for milliseconds in (0, 50):
        wait_at_most(ours, milliseconds)
        with pytest.raises(OperationalError, match="database is locked") as refused:
            WAYS[way](ours, 2)
        error = refused.value.__cause__
        assert isinstance(error, sqlite3.OperationalError)
        assert error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    assert ours.connection.execute("PRAGMA busy_timeout").fetchone() == (50,)
    other.order("commit")
    add(ours, 3)
    assert numbers(ours) == [3]


def test_a_thread_gives_up_after_its_timeout_while_another_thread_writes(
    in_thread: Any, ours: Any
) -> None:
    def try_to_add(connection: Any) -> None:
        wait_at_most(connection, 50)
        add_in_transaction(connection, 2)

    begin(ours)
    with pytest.raises(OperationalError, match="database is locked"):
        in_thread(try_to_add).result(10)
    commit(ours)


def test_a_killed_writer_delays_nobody(other: OtherWriter, ours: Any) -> None:
    other.order("begin")
    other.order("add", "1")
    other.kill()
    add_in_transaction(ours, 2)
    assert numbers(ours) == [2]


def test_reads_do_not_wait_for_a_writer(other: OtherWriter, ours: Any) -> None:
    other.order("begin")
    other.order("add", "1")
    wait_at_most(ours, 0)
    assert numbers(ours) == []


@pytest.mark.parametrize("end", ["a rollback", "a closed connection"])
def test_the_turn_ends_with(end: str, in_thread: Any, ours: Any) -> None:
    begin(ours)
    add(ours, 1)
    if end == "a rollback":
        ours.rollback()
        ours.set_autocommit(True)
    else:
        ours.close()
    in_thread(add_in_transaction, 2).result(10)
    assert numbers(ours) == [2]


def test_the_turn_of_a_lost_connection_ends(file: Path) -> None:
    queue = write_queue.WriteQueue(f"{file}-queue")
    turn, _ = queue.start(lambda: None, 0)
    with pytest.raises(sqlite3.OperationalError):
        queue.start(lambda: None, 0)
    del turn
    queue.start(lambda: None, 0)[0].end()
    queue.close()


def test_a_failed_statement_ends_its_turn(in_thread: Any, ours: Any) -> None:
    add(ours, 1)
    with pytest.raises(IntegrityError):
        add(ours, 1)
    in_thread(add, 2).result(10)
    assert numbers(ours) == [1, 2]


def test_a_statement_that_returns_rows_wakes_others_when_its_cursor_is_closed(
    other: OtherWriter, ours: Any
) -> None:
    with ours.cursor() as cursor:
        cursor.execute("INSERT INTO note (number) VALUES (1), (2) RETURNING id")
        other.tell("add", "3")
        assert cursor.fetchone() == (1,)
    assert other.answer() == "done"
    assert numbers(ours) == [1, 2, 3]


def test_many_rows_are_written_in_one_turn(ours: Any) -> None:
    with ours.cursor() as cursor:
        rows = ([number] for number in range(3))
        cursor.executemany("INSERT INTO note (number) VALUES (%s)", rows)
    assert numbers(ours) == [0, 1, 2]


def test_a_writer_who_waits_long_goes_before_writers_of_other_processes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Act for three processes: two queues for one file are as good as two processes."""
    monkeypatch.setattr(write_queue, "_PATIENCE_SECONDS", 0.0)
    patient, hasty = (write_queue.WriteQueue(f"{file}-queue") for _ in range(2))
    tried, is_free, order = threading.Event(), threading.Event(), list[str]()

    def write_when_free(who: str) -> None:
        if not is_free.is_set():
            tried.set()
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        order.append(who)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(patient.start, lambda: write_when_free("patient"), 20)
        tried.wait(10)
        wait_until(lambda: not hasty._gate_is_open())
        monkeypatch.setattr(write_queue, "_PATIENCE_SECONDS", 60.0)
        second = pool.submit(hasty.start, lambda: order.append("hasty"), 20)
        with pytest.raises(TimeoutError):
            second.result(0.1)
        is_free.set()
        first.result(10)[0].end()
        second.result(10)[0].end()
    assert order == ["patient", "hasty"]
    patient.close()
    hasty.close()


def test_a_stopped_process_closes_the_gate_only_for_a_moment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, ours = (write_queue.WriteQueue(f"{file}-queue") for _ in range(2))
    assert stopped._flock(fcntl.LOCK_EX)
    monkeypatch.setattr(write_queue, "_GATE_SECONDS", 0.1)
    turn, _ = ours.start(lambda: None, 20)
    turn.end()
    stopped.close()
    ours.close()


def test_a_forked_child_has_a_queue_of_its_own(other: OtherWriter) -> None:
    other.order("begin")
    assert other.order("fork") == "child waits for nobody in its process"


def test_a_forked_child_does_not_keep_the_gate_of_its_dead_parent_closed(
    file: Path, other: OtherWriter
) -> None:
    queue = write_queue.WriteQueue(f"{file}-queue")
    other.order("close_gate")
    other.order("fork_and_stay")
    assert not queue._gate_is_open()
    other.kill()
    assert queue._gate_is_open()
    queue.close()


def test_a_database_in_memory_has_no_queue(django_db_blocker: DjangoDbBlocker) -> None:
    connection = ConnectionHandler(databases(Path(":memory:")))["default"]
    with django_db_blocker.unblock():
        assert connection.queue() is None  # type: ignore[attr-defined]  # of our backend
        begin(connection)
        commit(connection)


def test_writers_do_without_a_queue_where_no_pipe_can_be_made(
    file: Path, ours: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Path(f"{file}-queue").write_text("a file")
    add_in_transaction(ours, 1)
    add(ours, 2)
    assert numbers(ours) == [1, 2]
    assert "do not queue" in caplog.text
