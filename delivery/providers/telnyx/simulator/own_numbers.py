"""The sending numbers of the account. Telnyx refuses any other ``from`` with 40305."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


class OwnNumbers:
    """The account owns every sender until a number is added, or a look-up is given.

    A number that was found once stays: a customer owns a number also without using it.
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
        """Restore the initial numbers."""
        with self._lock:
            self._numbers = set(self._first)
            self._named = bool(self._first) or self._look_up is not None
