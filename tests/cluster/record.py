"""The clients' records: times of answers by face, errors, and accepted texts."""

from __future__ import annotations

import itertools
import threading
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Admission:
    """A request that a limit has counted and admitted."""

    sent: float
    answered: float


@dataclass
class Record:
    """Filled by the threads of the traffic, read by the report."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    """The times of good answers, by face."""
    errors: list[tuple[float, str]] = field(default_factory=list)
    promised: dict[str, int] = field(default_factory=dict)
    """The number of recipients of each accepted text, by its words."""
    inbound: list[str] = field(default_factory=list)
    admitted: list[Admission] = field(default_factory=list)
    refused: int = 0
    gaps: int = 0
    doubled_events: int = 0
    resets: int = 0
    events: int = 0
    reconnects: Counter[str] = field(default_factory=Counter)
    latest_event: list[tuple[float, float]] = field(default_factory=list)
    """The time of each frame of events, and how old its oldest event was."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def good(self, face: str) -> None:
        with self._lock:
            self.answers.setdefault(face, []).append(time.time())

    def error(self, kind: str) -> None:
        with self._lock:
            self.errors.append((time.time(), kind))

    def promise(self, text: str, recipients: int) -> None:
        with self._lock:
            self.promised[text] = recipients

    def errors_between(self, begin: float, end: float) -> Counter[str]:
        with self._lock:
            return Counter(kind for at, kind in self.errors if begin <= at <= end)

    def silence(self, face: str, begin: float, end: float) -> float:
        with self._lock:
            return longest_silence(self.answers.get(face, []), begin, end)

    def lateness(self, begin: float, end: float) -> float:
        with self._lock:
            return max((late for at, late in self.latest_event if begin <= at <= end), default=0.0)


def longest_silence(times: Sequence[float], begin: float, end: float) -> float:
    """Return the longest time between two of ``times`` that touches ``begin`` to ``end``.

    A silence that began before counts from its own beginning. ``times`` are in order.
    """
    first, last = bisect_left(times, begin), bisect_right(times, end)
    before = times[first - 1] if first else begin
    points = [before, *times[first:last], end]
    return max(later - earlier for earlier, later in itertools.pairwise(points))
