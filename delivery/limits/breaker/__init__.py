"""The circuit breaker: when the provider is ill, wait for it instead of burning attempts.

What a person forces is a row, and goes before everything that Redis or a window says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from delivery import conf
from delivery.limits.breaker import history
from delivery.limits.breaker.permit import Permit, Tally, Transition
from delivery.limits.breaker.shared import SharedBreaker
from delivery.models import BreakerState, ForcedBreaker

__all__ = ["Permit", "Tally", "View", "ask", "current", "force", "record", "release"]

_shared = SharedBreaker()
_gap = history.Gap()


@dataclass(frozen=True, slots=True)
class View:
    """The breaker as people see it."""

    state: BreakerState
    until: datetime | None = None
    """Open: when it lets a probe through."""


def ask(now: datetime) -> Permit:
    """May this worker call the provider? Hand the permit back with :func:`record`."""
    forced = _forced()
    if forced is not None:
        state = BreakerState(forced.state)
        return Permit(state, allowed=state == BreakerState.FORCED_CLOSED)
    permit, moved = _shared.ask()
    _tell(moved, now)
    if moved is None and _shared.is_shared:
        _gap.close(permit, now)
    return permit


def record(permit: Permit, tally: Tally, now: datetime) -> None:
    """What the calls made under ``permit`` came to."""
    says_something = tally.calls > 0 or permit.probe
    if says_something and permit.state != BreakerState.FORCED_CLOSED:
        _tell(_shared.record(permit, tally), now)


def current(now: datetime) -> View:
    """The state as it is, without asking for a permit."""
    forced = _forced()
    if forced is not None:
        return View(BreakerState(forced.state))
    last = history.last()
    state = history.judged(last)
    return View(state, last.until if last and state != BreakerState.CLOSED else None)


def force(
    state: BreakerState, *, by: AbstractBaseUser | None, reason: str = "", now: datetime
) -> None:
    """A person's order: ``FORCED_OPEN`` or ``FORCED_CLOSED``; it stands until :func:`release`."""
    before = current(now).state
    ForcedBreaker.objects.update_or_create(
        account=conf.account(),
        defaults={"state": state, "by_id": _id(by), "reason": reason[:200], "since": now},
    )
    if before != state:
        _tell(Transition(before, state, reason or "ordered"), now, by=by)


def release(*, by: AbstractBaseUser | None, now: datetime) -> None:
    """The breaker judges by itself again, starting closed."""
    forced = _forced()
    if forced is None:
        return
    before = BreakerState(forced.state)
    forced.delete()
    _shared.reset()
    _tell(Transition(before, BreakerState.CLOSED, "back to its own judgement"), now, by=by)


def _forced() -> ForcedBreaker | None:
    return ForcedBreaker.objects.filter(account=conf.account()).first()


def _id(user: AbstractBaseUser | None) -> Any:
    return None if user is None else user.pk


def _tell(moved: Transition | None, now: datetime, *, by: AbstractBaseUser | None = None) -> None:
    if moved is None:
        return
    until = None
    if moved.after == BreakerState.OPEN:
        until = now + timedelta(seconds=_shared.seconds_open())
    history.write(moved, now, until=until, by=by)
