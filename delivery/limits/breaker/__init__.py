"""The circuit breaker of each provider account: while the provider is down, texts wait and spend no
attempts.

An order of a person is a row, and overrides what Redis or a window says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from delivery.limits.breaker import history
from delivery.limits.breaker.permit import Permit, Tally, Transition
from delivery.limits.breaker.shared import SharedBreaker
from delivery.models import BreakerState, BreakerTransition, ForcedBreaker
from delivery.providers.base import Account

__all__ = [
    "Permit",
    "Tally",
    "View",
    "ask",
    "current",
    "failing_since",
    "force",
    "record",
    "release",
    "view_of",
]


@dataclass
class _Known:
    """The knowledge of this process about the breaker of one account."""

    shared: SharedBreaker
    gap: history.Gap = field(default_factory=history.Gap)


_known: dict[str, _Known] = {}
"""The key is the account's name."""


@dataclass(frozen=True, slots=True)
class View:
    """The breaker as people see it."""

    state: BreakerState
    until: datetime | None = None
    """Open: when it lets a probe through."""


def ask(account: Account, now: datetime) -> Permit:
    """Return whether this worker may call the provider. Hand the permit back with :func:`record`."""
    forced = _forced(account)
    if forced is not None:
        state = BreakerState(forced.state)
        return Permit(state, allowed=state == BreakerState.FORCED_CLOSED)
    known = _of(account)
    permit, moved = known.shared.ask()
    _write(account, moved, now)
    if moved is None and known.shared.is_shared:
        known.gap.close(account, permit, now)
    return permit


def record(account: Account, permit: Permit, tally: Tally, now: datetime) -> None:
    """Count the calls made under ``permit``."""
    is_needed = tally.calls > 0 or permit.probe
    if is_needed and permit.state != BreakerState.FORCED_CLOSED:
        _write(account, _of(account).shared.record(permit, tally), now)


def current(account: Account, now: datetime) -> View:
    """Return the present state, without asking for a permit."""
    forced = _forced(account)
    return view_of(forced, None if forced else history.last(account))


def view_of(forced: ForcedBreaker | None, last: BreakerTransition | None) -> View:
    """Return the state by a person's order, else by the last row of the history."""
    if forced is not None:
        return View(BreakerState(forced.state))
    state = history.state_after(last)
    return View(state, last.until if last and state != BreakerState.CLOSED else None)


def failing_since(account: Account) -> datetime | None:
    """Return when the breaker left ``closed``, by itself; None if it is closed or a person forced it.

    A person's order to stop is no failure of the provider: nothing may evade it.
    """
    if _forced(account) is not None:
        return None
    if history.state_after(history.last(account)) == BreakerState.CLOSED:
        return None
    return history.last_opened(account)


def force(
    account: Account,
    state: BreakerState,
    *,
    by: AbstractBaseUser | None,
    reason: str = "",
    now: datetime,
) -> None:
    """Order ``FORCED_OPEN`` or ``FORCED_CLOSED``; the order stands until :func:`release`."""
    before = current(account, now).state
    ForcedBreaker.objects.update_or_create(
        account=account.name,
        defaults={"state": state, "by_id": _id(by), "reason": reason[:200], "since": now},
    )
    if before != state:
        _write(account, Transition(before, state, reason or "ordered"), now, by=by)


def release(account: Account, *, by: AbstractBaseUser | None, now: datetime) -> None:
    """End a person's order: the breaker decides again, starting closed."""
    forced = _forced(account)
    if forced is None:
        return
    before = BreakerState(forced.state)
    forced.delete()
    _of(account).shared.reset()
    moved = Transition(before, BreakerState.CLOSED, "automatic again")
    _write(account, moved, now, by=by)


def forget() -> None:
    """Forget what this process knows about all breakers; for tests that stop and start Redis."""
    _known.clear()


def _of(account: Account) -> _Known:
    known = _known.get(account.name)
    if known is None:
        known = _known[account.name] = _Known(SharedBreaker(account))
    return known


def _forced(account: Account) -> ForcedBreaker | None:
    return ForcedBreaker.objects.filter(account=account.name).first()


def _id(user: AbstractBaseUser | None) -> Any:
    return None if user is None else user.pk


def _write(
    account: Account,
    moved: Transition | None,
    now: datetime,
    *,
    by: AbstractBaseUser | None = None,
) -> None:
    if moved is None:
        return
    until = None
    if moved.after == BreakerState.OPEN:
        until = now + timedelta(seconds=_of(account).shared.seconds_open())
    history.write(account, moved, now, until=until, by=by)
