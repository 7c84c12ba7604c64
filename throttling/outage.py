"""Remembers that Redis is away, so that not every request waits for it to find out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

FAILURES = 3
PAUSE_SECONDS = 1.0


class Outage:
    """After three failures in a row nobody asks for about a second; then one caller tries."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def known(self) -> bool:
        """True: do not ask. The caller that finds the pause over is the one that tries."""
        if self._failures < FAILURES:
            return False
        now = self._clock()
        if now < self._until:
            return True
        self._pause(now)
        return False

    def failed(self) -> int:
        """Note a failure; how many there are in a row. ``FAILURES`` of them begin an outage."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._pause(self._clock())
        return self._failures

    def over(self) -> bool:
        """Note an answer; True where it ends an outage."""
        ended = self._failures >= FAILURES
        self._failures = 0
        return ended

    def _pause(self, now: float) -> None:
        # Jitter, or all processes would try in the same moment.
        self._until = now + PAUSE_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311  # no secret
