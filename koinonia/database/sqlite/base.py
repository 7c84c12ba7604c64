"""Django's SQLite backend, whose writers wait in a queue (``ENGINE: koinonia.database.sqlite``).

A transaction that begins as a writer (``transaction_mode`` IMMEDIATE or EXCLUSIVE) and a single statement
that writes wait for at most SQLite's ``busy_timeout``, as with Django's backend. Reads never wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base

from koinonia.database.sqlite.write_queue import Turn, WriteQueue, queue_of

T = TypeVar("T")

_writes = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|VACUUM|REINDEX|ANALYZE"
    r"|WITH\b.*\b(INSERT|UPDATE|DELETE))\b",
    re.IGNORECASE | re.DOTALL,
).match


class DatabaseWrapper(base.DatabaseWrapper):
    _turn: Turn | None = None

    def create_cursor(self, name: Any = None) -> Any:
        cursor = self.connection.cursor(factory=QueueingCursor)
        cursor.wrapper = self
        return cursor

    def queue(self) -> WriteQueue | None:
        """Return the queue of this file. A database in memory, or one named by a URI, has none."""
        name = str(self.settings_dict["NAME"])
        return None if name.startswith("file:") or self.is_in_memory_db() else queue_of(name)

    def write_in_turn(self, queue: WriteQueue, write: Callable[[], T]) -> T:
        """Call ``write`` as soon as no other connection writes.

        The turn lasts until the transaction ends; without a transaction, until ``write`` ends.
        """
        execute = self.connection.execute
        milliseconds = execute("PRAGMA busy_timeout").fetchone()[0]
        execute("PRAGMA busy_timeout = 0")
        try:
            self._turn, result = queue.start(write, milliseconds / 1000)
        finally:
            execute(f"PRAGMA busy_timeout = {milliseconds}")
            self.end_turn_without_transaction()
        return result

    def end_turn_without_transaction(self) -> None:
        if self._turn is not None and not (self.connection and self._is_in_transaction()):
            self._turn.end()
            self._turn = None

    def _is_in_transaction(self) -> bool:
        try:
            return bool(self.connection.in_transaction)
        except self.Database.ProgrammingError:  # It is closed.
            return False

    def _start_transaction_under_autocommit(self) -> None:
        begin = super()._start_transaction_under_autocommit  # type: ignore[misc]  # the stubs lack it
        mode = self.transaction_mode  # type: ignore[attr-defined]  # the stubs lack it
        queue = self.queue() if mode in {"IMMEDIATE", "EXCLUSIVE"} else None
        if queue is None:
            begin()
        else:
            with self.wrap_database_errors:
                self.write_in_turn(queue, begin)

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]  # the stubs lack it
        finally:
            self.end_turn_without_transaction()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # the stubs lack it
        finally:
            self.end_turn_without_transaction()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # the stubs lack it
        finally:
            self.end_turn_without_transaction()


class QueueingCursor(base.SQLiteCursorWrapper):
    """A cursor whose statements take a turn if they write outside a transaction."""

    wrapper: DatabaseWrapper
    _returns_rows = False

    def execute(self, query: str, params: Any = None) -> Any:
        execute = super().execute
        return self._in_turn(query, lambda: execute(query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        execute, rows = super().executemany, param_list
        if not self.connection.in_transaction and _writes(query):
            rows = list(param_list)  # A second try needs them again.
        return self._in_turn(query, lambda: execute(query, rows))

    def close(self) -> None:
        super().close()
        if self._returns_rows and (queue := self.wrapper.queue()):
            queue.wake_others()

    def _in_turn(self, query: str, execute: Callable[[], Any]) -> Any:
        if self.connection.in_transaction or not _writes(query):
            return execute()
        queue = self.wrapper.queue()
        if queue is None:
            return execute()
        # SQLite commits such a statement when its last row is read, or its cursor closed.
        self._returns_rows = "RETURNING" in query
        return self.wrapper.write_in_turn(queue, execute)
