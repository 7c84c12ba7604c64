"""The thread that stores the events of this process, while their requests wait on the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

from delivery.process import PerProcess
from delivery.webhooks import event_rows
from delivery.webhooks.storage import Storage, events, storage
from delivery.webhooks.store import (
    LONGEST_WAIT_SECONDS,
    GroupedStore,
    NotStoredError,
    Rows,
)

logger = logging.getLogger("delivery")

GROUP_SECONDS = 0.005
"""Groups begin at least so far apart: a commit and a hint cost more CPU than several events."""
IDLE_SECONDS = 1.0
"""Without events for so long, the connection is returned. The spool is looked at as often."""
SPOOL_AFTER_SECONDS = 2.0
"""With a spool, a database that does not answer for so long counts as away."""


class Writer:
    """Commits the events of ``store`` in groups, with a connection of its own."""

    def __init__(self, store: GroupedStore = events, storage: Storage = storage) -> None:
        self._store, self._storage = store, storage
        self._wake = threading.Event()
        self._busy_since: float | None = None
        self._looked_at = 0.0
        self._spooling = GroupedStore(self._spool)
        threading.Thread(target=self._run, name="webhook-writer", daemon=True).start()

    async def keep(self, rows: Rows, size: int) -> None:
        """Return once ``rows`` of ``size`` bytes are in the database or in the spool.

        Raises :class:`NotStoredError` and :class:`TooManyWaitingError`.
        """
        spool = self._storage.spool
        if spool is not None and (self._storage.is_away or self._is_stuck()):
            await asyncio.to_thread(self._spooling.store, rows, size)
            return
        future = self._store.enter(rows, size)
        if not self._wake.is_set():
            self._wake.set()
        try:
            async with asyncio.timeout(SPOOL_AFTER_SECONDS if spool else LONGEST_WAIT_SECONDS):
                await future
        except TimeoutError:
            if spool is None:
                raise NotStoredError("The event could not be stored.") from None
            # The writer may store them after all. A second copy changes nothing.
            await asyncio.to_thread(self._spooling.store, rows, size)

    def _is_stuck(self) -> bool:
        since = self._busy_since
        return since is not None and time.monotonic() - since > SPOOL_AFTER_SECONDS

    def _spool(self, rows: Rows) -> None:
        spool = self._storage.spool
        if spool is None:
            raise NotStoredError("The event could not be stored.")
        spool.append(rows)

    def _run(self) -> None:
        while True:
            woken = self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
            try:
                self._write_all()
                self._look_at_spool()
                if not woken:
                    event_rows.close_connection()
            except Exception:  # The thread must live on.
                logger.exception("The webhook writer failed", extra={"action": "webhook_writer"})
            finally:
                self._busy_since = None

    def _write_all(self) -> None:
        while self._write_group():
            pass

    def _write_group(self) -> int:
        began = self._busy_since = time.monotonic()
        if written := self._store.write_waiting():
            self._busy_since = None
            time.sleep(max(0.0, began + GROUP_SECONDS - time.monotonic()))
        return written

    def _look_at_spool(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= IDLE_SECONDS:
            self._looked_at = self._busy_since = now
            self._storage.replay(self._write_group)


writer = PerProcess(Writer)
"""The writer of this process."""
