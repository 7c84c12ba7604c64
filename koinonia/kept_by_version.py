"""Results about a church that cost much to compute, kept until the data behind them changes.

The version of a collection (``koinonia.answer_versions``) is a counter that triggers raise in the
transaction of each change, and that a restore renews. So a kept result is as new as a computed one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from httpopt.versions import counters
from koinonia.models import Church

T = TypeVar("T")
_MOST = 100
"""Churches of which a process keeps the result; it forgets the one that was asked for longest ago."""
_all: list[KeptByVersion[object]] = []


class KeptByVersion(Generic[T]):
    """A result for each church, from ``compute``, while the ``collection`` stays as it is.

    ``compute`` reads no other data than that of the collection.
    """

    def __init__(self, collection: str, compute: Callable[[Church], T]) -> None:
        self._collection, self._compute = collection, compute
        self._known: OrderedDict[int, tuple[str, T]] = OrderedDict()
        self._lock = Lock()
        _all.append(self)  # type: ignore[arg-type] # of any result

    def of(self, church: Church) -> T:
        """Return the result. It costs one small statement while nothing has changed."""
        # Read before the data: a change in between makes the next reader compute again.
        version = str(counters.read({self._collection: church.pk}))
        with self._lock:
            known = self._known.get(church.pk)
            if known and known[0] == version:
                self._known.move_to_end(church.pk)
                return known[1]
        result = self._compute(church)
        with self._lock:
            self._known[church.pk] = version, result
            self._known.move_to_end(church.pk)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return result

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


def forget_all() -> None:
    """Forget all results (for tests, which take back their changes with the counters)."""
    for kept in _all:
        kept.forget()
