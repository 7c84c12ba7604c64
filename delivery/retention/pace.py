"""The pace of a deletion: small transactions, and pauses for other writers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_GOAL_SECONDS = 0.05
"""The goal for one transaction: another writer waits for the whole of it, and should never wait 200 ms."""
_FIRST, _FEWEST, _MOST = 20, 10, 1000


class StoppedError(Exception):
    """The deletion stops between two transactions, by request."""


class Pace:
    """Chooses the number of rows of a transaction, and rests after it for the same time."""

    def __init__(
        self,
        *,
        stopped: Callable[[], bool] = lambda: False,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self.rows = _FIRST
        """The rows of the next transaction."""
        self._stopped, self._rest = stopped, rest

    @contextmanager
    def slice(self) -> Iterator[int]:
        """Time one transaction. Yield how many rows it may delete. Raises :class:`StoppedError`."""
        if self._stopped():
            raise StoppedError
        began = time.monotonic()
        yield self.rows
        took = time.monotonic() - began
        if took > _GOAL_SECONDS:
            self.rows = max(_FEWEST, int(self.rows * max(0.25, _GOAL_SECONDS / took)))
        elif took < _GOAL_SECONDS / 2:
            self.rows = min(_MOST, self.rows * 3 // 2)
        self._rest(took)
