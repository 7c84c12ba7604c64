"""Faults on order: their kinds, their table by name, and the plan of the requests that they strike."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from delivery.providers.simulator.server import Answer


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A refused request: the account gets no text."""

    name: str
    meaning: str
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class ConnectionRefused:
    """The connection is reset before the request is read, so the recipient is not known."""

    name: str = "refuse"
    meaning: str = "reset before the request is read (control API only)"


@dataclass(frozen=True, kw_only=True)
class Spoiling:
    """The text is accepted; its answer is not as documented."""

    name: str
    meaning: str
    answer: Answer | None = None
    """None: the true answer."""
    seconds: float = 0


@dataclass(frozen=True, kw_only=True)
class Twist:
    """The text is accepted and answered; later events differ. ``changes`` are fields of its fate."""

    name: str
    meaning: str
    changes: Mapping[str, Any] = field(default_factory=dict)


Fault = Refusal | ConnectionRefused | Spoiling | Twist


@dataclass(frozen=True, kw_only=True)
class Fate:
    """The path of an accepted text and of the webhooks about it. A provider adds its own fields."""

    status: str = "delivered"
    copies: int = 1
    reordered: bool = False
    delay: float = 0
    lost: bool = False
    before_answer: bool = False
    unknown_field: bool = False
    signature: str = "good"
    """The signature of the webhooks: ``good``, ``bad``, ``missing``, or another kind of the provider."""


def twist(name: str, meaning: str, **changes: Any) -> Twist:
    return Twist(name=name, meaning=meaning, changes=changes)


class FaultTable(dict[str, Fault]):
    """The faults of a simulator by name. ``codes`` are those with which an accepted text may fail."""

    def __init__(self, faults: Iterable[Fault], codes: Iterable[str | int]) -> None:
        super().__init__({fault.name: fault for fault in faults})
        self._codes = {str(code): code for code in codes}

    def shaped(
        self,
        name: str,
        *,
        seconds: float | None = None,
        code: str | int | None = None,
        retry_after: str | None = None,
    ) -> Fault:
        """Return a fault with parameters.

        Raises ValueError for an unknown name, and for a parameter that the fault does not take.
        """
        found = self.get(name)
        if found is None:
            raise ValueError(f"There is no fault {name!r}.")
        if seconds is not None:
            found = _lasting(found, seconds)
        if code is not None:
            found = self._with_code(found, code)
        if retry_after is not None:
            found = _with_retry_after(found, retry_after)
        return found

    def _with_code(self, fault: Fault, code: str | int) -> Fault:
        if not isinstance(fault, Twist) or "code" not in fault.changes:
            raise ValueError(f"{fault.name} takes no code.")
        if str(code) not in self._codes:
            raise ValueError(f"{code} is no code of a failed text.")
        return replace(fault, changes={**fault.changes, "code": self._codes[str(code)]})


def _lasting(fault: Fault, seconds: float) -> Fault:
    if isinstance(fault, Spoiling) and fault.seconds:
        return replace(fault, seconds=seconds)
    if isinstance(fault, Twist) and "delay" in fault.changes:
        return replace(fault, changes={**fault.changes, "delay": seconds})
    raise ValueError(f"{fault.name} takes no seconds.")


def _with_retry_after(fault: Fault, value: str) -> Fault:
    if not isinstance(fault, Refusal) or fault.answer.status not in (429, 503):
        raise ValueError(f"{fault.name} takes no retry_after.")
    return replace(fault, answer=replace(fault.answer, headers={"Retry-After": value}))


def first_refusal(faults: Iterable[Fault]) -> Refusal | None:
    return next((fault for fault in faults if isinstance(fault, Refusal)), None)


def changes_of(faults: Iterable[Fault]) -> dict[str, Any]:
    """Return the changes of all twists in ``faults``; a later one wins."""
    changes: dict[str, Any] = {}
    for fault in faults:
        if isinstance(fault, Twist):
            changes |= fault.changes
    return changes


def spoil(answer: Answer, faults: Iterable[Fault]) -> Answer:
    """Wait as long as a fault demands, then return the answer for the client."""
    for fault in faults:
        if isinstance(fault, Spoiling):
            time.sleep(fault.seconds)
            answer = fault.answer or answer
    return answer


@dataclass(kw_only=True)
class Planned:
    id: int
    fault: Fault
    left: int | None
    """Requests that it still strikes; None: any number."""
    probability: float
    chance: random.Random
    until: float | None
    to: str | None
    """Only this recipient."""
    struck: int = 0

    def strikes(self, now: float, to: str | None) -> bool:
        if self.left == 0 or (self.until is not None and now >= self.until):
            return False
        if self.to is not None and self.to != to:
            return False
        # Chance comes last, so that a seed gives the same sequence over the same requests.
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
    """Faults asked for through the control API: for the next N requests, for a time, by chance."""

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
        """Plan a fault. Without ``count`` it lasts until its time is over, or it is cleared."""
        until = None if for_seconds is None else self._clock() + for_seconds
        planned = Planned(
            id=next(self._ids), fault=fault, left=count, probability=probability,
            chance=random.Random(seed), until=until, to=to,  # noqa: S311 -- repeatable, not secret
        )  # fmt: skip
        with self._lock:
            self._planned.append(planned)
        return planned

    def draw(self, to: str) -> list[Fault]:
        """Return the faults that strike this request, oldest first; a refusal is the last."""
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
