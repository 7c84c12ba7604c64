"""The account's own sending numbers: which there are, and how fast each of them sends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable


class OwnNumbers:
    """The senders that the account may use; the provider refuses any other.

    Until a number is named, or a function to look numbers up is given, every sender is allowed. A
    number that was found once stays: the account still owns a number that no customer uses.
    """

    def __init__(
        self, numbers: Iterable[str] = (), look_up: Callable[[str], bool] | None = None
    ) -> None:
        self._first = frozenset(numbers)
        self._numbers = set(self._first)
        self._look_up = look_up
        self._named = bool(self._first) or look_up is not None
        self._lock = threading.Lock()

    def has(self, number: str) -> bool:
        with self._lock:
            if not self._named or number in self._numbers:
                return True
        found = self._look_up is not None and self._look_up(number)
        if found:
            self.add([number])
        return found

    def add(self, numbers: Iterable[str]) -> None:
        with self._lock:
            self._named = True
            self._numbers.update(numbers)

    def remove(self, numbers: Iterable[str]) -> None:
        with self._lock:
            self._named = True
            self._numbers.difference_update(numbers)

    def all(self) -> list[str]:
        with self._lock:
            return sorted(self._numbers)

    def clear(self) -> None:
        """Go back to the numbers of the start."""
        with self._lock:
            self._numbers = set(self._first)
            self._named = bool(self._first) or self._look_up is not None


class QueueFullError(Exception):
    """The wait would be longer than the queue holds."""


class SenderQueues:
    """A queue per sending number, first in, first out, counted in parts.

    Each queue is stored as the time at which it will be empty. A text that exceeds the rate waits; it
    does not fail.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._empty_at: dict[str, float] = {}

    def reserve(self, sender: str, parts: int, *, rate: float, longest: float) -> float:
        """Return the seconds that this text waits; raise QueueFullError beyond ``longest`` seconds."""
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
