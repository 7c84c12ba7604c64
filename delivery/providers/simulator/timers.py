"""Jobs to run later: one thread and a heap, for any number of jobs."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Timers:
    """``after(seconds, job)``; jobs must be short, since they share the thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="simulator-timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def after(self, seconds: float, job: Callable[[], object]) -> None:
        with self._condition:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), job))
            if self._heap[0][2] is job:
                self._condition.notify()

    def clear(self) -> None:
        """Drop all waiting jobs."""
        with self._condition:
            self._heap.clear()

    def stop(self) -> None:
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                # A failing job must not stop the later ones; the traceback is the report.
                logger.exception("A timer of the simulator failed.", extra={"action": "bug"})

    def _next(self) -> Callable[[], object] | None:
        """Wait for the next job that is due; return None when stopping."""
        with self._condition:
            while not self._stopping:
                if not self._heap:
                    self._condition.wait()
                    continue
                wait = self._heap[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._condition.wait(wait)
        return None
