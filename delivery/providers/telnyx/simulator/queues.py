"""The queue of each sending number: texts above the rate wait and do not fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class QueueFullError(Exception):
    """The queue is full: the wait is longer than it allows."""


class SenderQueues:
    """First in, first out, counted in parts. A queue is stored as the time at which it is empty."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._empty_at: dict[str, float] = {}

    def reserve(self, sender: str, parts: int, *, rate: float, longest: float) -> float:
        """Return the seconds that this text waits. Raise QueueFullError beyond ``longest`` seconds."""
        now = self._clock()
        with self._lock:
            departure = max(now, self._empty_at.get(sender, now))
            if departure - now > longest:
                raise QueueFullError
            self._empty_at[sender] = departure + parts / rate
        return departure - now

    def clear(self) -> None:
        with self._lock:
            self._empty_at.clear()
