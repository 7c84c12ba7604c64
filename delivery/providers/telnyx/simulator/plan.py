"""Planned faults, set by the control API: for the next N requests, for a time, or at random."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from delivery.providers.telnyx.simulator.faults import ConnectionRefused, Fault, Refusal


@dataclass(kw_only=True)
class Planned:
    id: int
    fault: Fault
    left: int | None
    """The number of requests left to hit; None: no limit."""
    probability: float
    chance: random.Random
    until: float | None
    to: str | None
    """Restrict the fault to this recipient."""
    struck: int = 0

    def strikes(self, now: float, to: str | None) -> bool:
        if self.left == 0 or (self.until is not None and now >= self.until):
            return False
        if self.to is not None and self.to != to:
            return False
        # Draw the random number last, so that a seed gives the same sequence for the same requests.
        if self.probability < 1 and self.chance.random() >= self.probability:
            return False
        self.left = None if self.left is None else self.left - 1
        self.struck += 1
        return True

    def resource(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "fault": self.fault.name,
            "left": self.left,
            "probability": self.probability,
            "to": self.to,
            "struck": self.struck,
        }


class FaultPlan:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._planned: list[Planned] = []

    def add(
        self,
        fault: Fault,
        *,
        count: int | None = None,
        probability: float = 1,
        seed: int | None = None,
        for_seconds: float | None = None,
        to: str | None = None,
    ) -> Planned:
        """Add a fault. Without ``count`` it stays until its time is over or it is cleared."""
        until = None if for_seconds is None else self._clock() + for_seconds
        planned = Planned(
            id=next(self._ids), fault=fault, left=count, probability=probability,
            chance=random.Random(seed), until=until, to=to,  # noqa: S311 -- repeatable, not secret
        )  # fmt: skip
        with self._lock:
            self._planned.append(planned)
        return planned

    def draw(self, to: str) -> list[Fault]:
        """Return the faults that hit this request, oldest first; a refusal is the last."""
        drawn: list[Fault] = []
        with self._lock:
            for planned in self._planned:
                if isinstance(planned.fault, ConnectionRefused):
                    continue
                if planned.strikes(self._clock(), to):
                    drawn.append(planned.fault)
                    if isinstance(planned.fault, Refusal):
                        break
        return drawn

    def refuses_connection(self) -> bool:
        with self._lock:
            return any(
                isinstance(planned.fault, ConnectionRefused)
                and planned.strikes(self._clock(), None)
                for planned in self._planned
            )

    def resources(self) -> list[dict[str, Any]]:
        with self._lock:
            return [planned.resource() for planned in self._planned]

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
