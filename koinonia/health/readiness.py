"""Looking at the parts: each in a thread and with a time limit of its own, at most once a second.

A part that hangs (a database that vanished without a word) costs its limit and one thread: the next
look waits for the thread that there is, and starts no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from django.db import connections

from koinonia.health import parts
from koinonia.health.parts import DEGRADED, Part

LIMIT_SECONDS = 1.0
"""For each part; they are looked at side by side."""
KEPT_SECONDS = 1.0


@dataclass(frozen=True)
class Readiness:
    states: Mapping[str, str]
    """``ok``, or what is wrong, by the name of the part."""

    @property
    def is_ready(self) -> bool:
        return all(state == "ok" or state.startswith(DEGRADED) for state in self.states.values())

    @property
    def status(self) -> str:
        """``ready``, ``degraded`` (something is away that we can do without) or ``unavailable``."""
        if not self.is_ready:
            return "unavailable"
        return "ready" if all(state == "ok" for state in self.states.values()) else "degraded"


@dataclass
class _Look:
    name: str
    part: Part
    state: str = ""
    done: Event = field(default_factory=Event)

    def run(self) -> None:
        try:
            self.state = parts.state(self.name, self.part)
        finally:
            connections.close_all()  # This thread's: a pool gets them back.
            self.done.set()


class Looks:
    """The looks of this process; ``clock`` counts seconds."""

    def __init__(self, *, full: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._full = full
        self._clock = clock
        self._lock = Lock()
        self._running: dict[str, _Look] = {}
        self._kept: Readiness | None = None
        self._parts: Mapping[str, Part] = {}
        self._at = 0.0

    def readiness(self) -> Readiness:
        """Return what was found at most a second ago; who comes during a look waits for it."""
        with self._lock:
            wanted = parts.wanted(full=self._full)
            is_old = self._clock() - self._at >= KEPT_SECONDS
            if self._kept is None or is_old or wanted != self._parts:
                self._kept = self._look(wanted)
                self._parts, self._at = wanted, self._clock()
            return self._kept

    def forget(self) -> None:
        """Look at once when asked next."""
        self._kept = None

    def _look(self, wanted: Mapping[str, Part]) -> Readiness:
        until = time.monotonic() + LIMIT_SECONDS
        looks = [self._started(name, part) for name, part in wanted.items()]
        return Readiness({look.name: self._state(look, until) for look in looks})

    def _started(self, name: str, part: Part) -> _Look:
        running = self._running.get(name)
        if running is not None and not running.done.is_set() and running.part is part:
            return running
        look = self._running[name] = _Look(name, part)
        Thread(target=look.run, name=f"readyz-{name}", daemon=True).start()
        return look

    def _state(self, look: _Look, until: float) -> str:
        if look.done.wait(max(0.0, until - time.monotonic())):
            return look.state
        late = f"no answer within {LIMIT_SECONDS:g} s"
        return f"{DEGRADED}{late}" if look.name in parts.DISPENSABLE else late


needed = Looks(full=False)
everything = Looks(full=True)
