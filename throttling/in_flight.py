"""Logins whose password is being looked at now: what they hold may come back in a moment.

A login pays before its password is verified and is paid back when it was right. A burst of good
logins can so empty a bucket that none of them will have used. Whoever finds a bucket short waits
while others are in flight on it, and is judged when they have landed; it is never let in without
a token, so the number of guesses stays exact. The waiting is bounded in time and in number.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from throttling import stores
from throttling.buckets import BucketsUnavailableError
from throttling.verdict import Charge, Verdict

PATIENCE = 10.0
"""Seconds that a login waits at most for the others."""
MOST_WAITING = 32
"""Logins of this process that may wait at once; each holds a thread."""
_LONGEST_FLIGHT_MS = 30_000
"""After this, a login counts as crashed."""
_LOOK_EVERY = 0.05

logger = logging.getLogger(__name__)

_here: Counter[str] = Counter()
"""Buckets to logins in flight in this process: all that is known while Redis is away."""
_landed = threading.Condition()
_places = threading.BoundedSemaphore(MOST_WAITING)


class Flight:
    """One login and the buckets it may hold a token of."""

    def __init__(self, charges: Sequence[Charge]) -> None:
        self._keys = [charge.bucket.key for charge in charges]
        self._id = uuid.uuid4().hex
        self._up = False

    def begin(self) -> None:
        """Say so before the charge: whoever holds a token is known to be in flight."""
        if self._up or not self._keys:
            return
        self._up = True
        with _landed:
            _here.update(self._keys)
        until = _now() + _LONGEST_FLIGHT_MS
        _tell(lambda: stores.shared().enter(self._members, until))

    def end(self) -> None:
        """End a login that is decided, when its charges were given back where they had to be."""
        if not self._up:
            return
        self._up = False
        _tell(lambda: stores.shared().leave(self._members))
        with _landed:
            _here.subtract(self._keys)
            for key in self._keys:
                if _here[key] <= 0:
                    del _here[key]
            _landed.notify_all()

    @property
    def _members(self) -> list[str]:
        return [f"{key}|{self._id}" for key in self._keys]


def judge(charges: Sequence[Charge], decide: Callable[[bool], Verdict]) -> tuple[Verdict, Flight]:
    """Decide about a login; it is in flight where it is allowed.

    ``decide(True)`` leaves no trace of a refusal, ``decide(False)`` counts it.
    """
    flight = Flight(charges)
    verdict = _try(flight, decide, quietly=True)
    if verdict.refusing and _places.acquire(blocking=False):
        try:
            verdict = _wait(flight, verdict, decide)
        finally:
            _places.release()
    if verdict.allowed:
        return verdict, flight
    return _try(flight, decide, quietly=False), flight


def _wait(flight: Flight, verdict: Verdict, decide: Callable[[bool], Verdict]) -> Verdict:
    until = time.monotonic() + PATIENCE
    alone = 0
    # Twice alone: between a try and the look, the last of the others may have landed.
    while not verdict.allowed and alone < 2 and time.monotonic() < until:
        if _others(verdict):
            alone = 0
            with _landed:
                _landed.wait(_LOOK_EVERY)
        else:
            alone += 1
        verdict = _try(flight, decide, quietly=True)
    return verdict


def _try(flight: Flight, decide: Callable[[bool], Verdict], *, quietly: bool) -> Verdict:
    flight.begin()
    verdict = decide(quietly)
    if not verdict.allowed:
        flight.end()
    return verdict


def _others(verdict: Verdict) -> bool:
    """Return whether a bucket that refuses has logins in flight."""
    short = {judged.charge.bucket.key for judged in verdict.refusing}
    if any(_here[key] > 0 for key in short):
        return True
    try:
        members = stores.shared().in_flight(_now())
    except BucketsUnavailableError:
        return False
    return any(member.rpartition("|")[0] in short for member in members)


def _tell(command: Callable[[], object]) -> None:
    try:
        command()
    except BucketsUnavailableError as error:
        logger.debug("Other processes do not know of a login in flight: %s", error)


def _now() -> int:
    return time.time_ns() // 1_000_000
