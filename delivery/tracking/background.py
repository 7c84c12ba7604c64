"""The watchdog beside a worker's own work: Telnyx is asked in a thread, the rows are written here."""

from __future__ import annotations

import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import DataError, IntegrityError

from delivery.tracking import watchdog
from delivery.tracking.report import StatusReport
from delivery.tracking.watchdog import Question

logger = logging.getLogger("delivery")

_Round = Future[list[tuple[Question, StatusReport]]]
_EVERY = timedelta(seconds=5)


class Background:
    """At most one round of questions at a time. The thread never touches the database.

    A round that fails is over: its messages are asked about again, later.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="delivery-watchdog")
        self._round: _Round | None = None
        self._next = datetime.min.replace(tzinfo=UTC)

    def tick(self, now: datetime, limit: int = 20) -> int:
        """Write what the last round found, and begin the next; never waits. How many moved."""
        if now < self._next:
            return 0
        self._next = now + _EVERY
        moved = watchdog.give_up_waiting(now)
        if self._round is not None:
            if not self._round.done():
                return moved
            ended, self._round = self._round, None
            moved += _finish(ended, now)
        questions = watchdog.take_overdue(now, limit)
        if questions:
            self._round = self._thread.submit(watchdog.ask, questions, now)
        return moved


def _finish(ended: _Round, now: datetime) -> int:
    error = ended.exception()
    if error is None:
        try:
            return watchdog.apply(ended.result(), now)
        except (DataError, IntegrityError) as refused:
            error = refused
    # Without its text: it may quote what Telnyx said, or the row.
    logger.error(
        "A round of questions about messages failed",
        extra={"action": "watchdog_failed", "error": type(error).__name__},
    )
    return 0


_of_process: dict[int, Background] = {}


def reconcile(now: datetime, limit: int = 20) -> int:
    """Ask about up to ``limit`` silent messages, and end those that nobody will confirm.

    For a worker: it never waits for Telnyx, the answers are written by a later call. Asks at most
    every five seconds, each message later and later. How many messages moved.
    """
    pid = os.getpid()  # a forked child has no threads of its parent
    if pid not in _of_process:
        _of_process.clear()
        _of_process[pid] = Background()
    return _of_process[pid].tick(now, limit)
