"""Readers, writers and reports beside a migration: how long did each statement take?"""

from __future__ import annotations

import time
from collections import defaultdict
from threading import Event, Thread
from types import TracebackType
from typing import LiteralString, cast

import psycopg

TABLES = (
    "delivery_message", "delivery_attempt", "delivery_webhookevent", "delivery_optout",
    "koinonia_church", "koinonia_member", "koinonia_conversation", "koinonia_broadcast",
    "koinonia_group", "realtime_event", "realtime_stream", "auth_user",
)  # fmt: skip
_PAUSE_SECONDS = 0.05
_SETTLE_SECONDS = 3.0
"""Between two reports."""


class Traffic:
    """A reader and a writer per group of tables, and a report after the other."""

    def __init__(self, url: str, *, report_seconds: float) -> None:
        self.step = ""
        """The name of what runs now."""
        self._url = url
        self._report_seconds = report_seconds
        self._longest: dict[tuple[str, str], tuple[float, str]] = defaultdict(lambda: (0.0, ""))
        self._stopped = Event()
        self._threads = [
            Thread(target=self._work, args=(kind, table))
            for kind in ("writer", "reader")
            for table in TABLES
        ]
        self._threads.append(Thread(target=self._report))

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def longest(self, step: str, kind: str) -> tuple[float, str]:
        """Return the longest statement of the readers or writers during a step, and its table."""
        return self._longest[step, kind]

    def _work(self, kind: str, table: str) -> None:
        row = f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1"  # noqa: S608  # a name of this file
        statement = row if kind == "reader" else f"UPDATE {table} SET id = id WHERE id = ({row})"  # noqa: S608
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stopped.wait(_PAUSE_SECONDS):
                step, started = self.step, time.monotonic()
                connection.execute(cast(LiteralString, statement))
                took = time.monotonic() - started
                # A wait that began in one step and ended in the next belongs to both.
                for one in {step, self.step}:
                    self._longest[one, kind] = max(self._longest[one, kind], (took, table))

    def _report(self) -> None:
        with psycopg.connect(self._url) as connection:
            while not self._stopped.is_set():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                for table in TABLES:
                    connection.execute(
                        cast(LiteralString, f"SELECT id FROM {table} ORDER BY id LIMIT 100")  # noqa: S608
                    )
                self._stopped.wait(self._report_seconds)
                connection.rollback()
                self._stopped.wait(_SETTLE_SECONDS)
