"""Logins during the verification of their password; their charges may be refunded in a moment.

A login is charged before its password is verified, and refunded if the password was right. A burst
of good logins can therefore empty a bucket that none of them will have used. A login that finds a
bucket short waits while other logins are in flight on the same bucket, and is decided after them. It
is never let in without a token, so the number of guesses stays exact. The wait is bounded in time and
in number.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from throttling import shared_buckets
from throttling.buckets import BucketsUnavailableError
from throttling.charges import Charge, ThrottleResult

LONGEST_WAIT = 10.0
"""Longest wait of a login for other logins, in seconds."""
MOST_WAITING = 32
"""Logins of this process that may wait at once; each holds a thread."""
_LONGEST_FLIGHT_MS = 30_000
"""After this, a login counts as crashed."""
_CHECK_EVERY = 0.05

logger = logging.getLogger(__name__)

_in_this_process: Counter[str] = Counter()
"""Number of logins in flight by bucket, as seen by this process alone."""
_one_ended = threading.Condition()
_waiting_slots = threading.BoundedSemaphore(MOST_WAITING)


class Flight:
    """A login and the buckets that may have charged it."""

    def __init__(self, charges: Sequence[Charge]) -> None:
        self._keys = [charge.bucket.key for charge in charges]
        self._id = uuid.uuid4().hex
        self._registered = False

    def begin(self) -> None:
        """Register the login. Call before the charge: every login with a token is registered."""
        if self._registered or not self._keys:
            return
        self._registered = True
        with _one_ended:
            _in_this_process.update(self._keys)
        until = _now() + _LONGEST_FLIGHT_MS
        _tell_other_processes(lambda: shared_buckets.store().add_in_flight(self._members, until))

    def end(self) -> None:
        """Remove the login. Call after its charges were refunded."""
        if not self._registered:
            return
        self._registered = False
        _tell_other_processes(lambda: shared_buckets.store().remove_in_flight(self._members))
        with _one_ended:
            _in_this_process.subtract(self._keys)
            for key in self._keys:
                if _in_this_process[key] <= 0:
                    del _in_this_process[key]
            _one_ended.notify_all()

    @property
    def _members(self) -> list[str]:
        return [f"{key}|{self._id}" for key in self._keys]


def decide(
    charges: Sequence[Charge], charge: Callable[[bool], ThrottleResult]
) -> tuple[ThrottleResult, Flight]:
    """Charge a login, after a wait if needed; an allowed login is in flight when this returns.

    ``charge(True)`` leaves no trace of a refusal, ``charge(False)`` counts it.
    """
    flight = Flight(charges)
    result = _try(flight, charge, quietly=True)
    if result.refusing and _waiting_slots.acquire(blocking=False):
        try:
            result = _wait(flight, result, charge)
        finally:
            _waiting_slots.release()
    if result.allowed:
        return result, flight
    return _try(flight, charge, quietly=False), flight


def _wait(
    flight: Flight, result: ThrottleResult, charge: Callable[[bool], ThrottleResult]
) -> ThrottleResult:
    until = time.monotonic() + LONGEST_WAIT
    alone = 0
    # Stop only when alone twice: the last other login may end between a try and a check.
    while not result.allowed and alone < 2 and time.monotonic() < until:
        if _others_hold(result):
            alone = 0
            with _one_ended:
                _one_ended.wait(_CHECK_EVERY)
        else:
            alone += 1
        result = _try(flight, charge, quietly=True)
    return result


def _try(
    flight: Flight, charge: Callable[[bool], ThrottleResult], *, quietly: bool
) -> ThrottleResult:
    flight.begin()
    result = charge(quietly)
    if not result.allowed:
        flight.end()
    return result


def _others_hold(result: ThrottleResult) -> bool:
    """Return True if other logins are in flight on a refusing bucket."""
    short = {outcome.charge.bucket.key for outcome in result.refusing}
    if any(_in_this_process[key] > 0 for key in short):
        return True
    try:
        members = shared_buckets.store().in_flight(_now())
    except BucketsUnavailableError:
        return False
    return any(member.rpartition("|")[0] in short for member in members)


def _tell_other_processes(command: Callable[[], object]) -> None:
    try:
        command()
    except BucketsUnavailableError as error:
        logger.debug("Other processes do not see a login in flight: %s", error)


def _now() -> int:
    return time.time_ns() // 1_000_000
