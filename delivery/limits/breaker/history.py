"""The rows that show the breaker to people, and rows that are missing after a loss of Redis or of a
worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from delivery.limits.breaker.permit import Permit, Transition
from delivery.models import BreakerState, BreakerTransition
from delivery.providers.base import Account
from delivery.signals import breaker_changed

_LOOK = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=2)
"""The worker that moves the breaker writes the row a moment later."""


def last(account: Account) -> BreakerTransition | None:
    return BreakerTransition.objects.filter(account=account.name).first()


def state_after(row: BreakerTransition | None) -> BreakerState:
    """Return the breaker's own state by its last row; an order that was taken back does not count."""
    if row is None or row.after not in {BreakerState.OPEN, BreakerState.HALF_OPEN}:
        return BreakerState.CLOSED
    return BreakerState(row.after)


def last_opened(account: Account) -> datetime | None:
    """Return when the breaker last went from ``closed`` to another state."""
    rows = BreakerTransition.objects.filter(account=account.name, before=BreakerState.CLOSED)
    return rows.values_list("at", flat=True).first()


def write(
    account: Account,
    moved: Transition,
    now: datetime,
    *,
    until: datetime | None = None,
    by: AbstractBaseUser | None = None,
) -> None:
    by_id: Any = None if by is None else by.pk
    BreakerTransition.objects.create(
        account=account.name, before=moved.before, after=moved.after,
        reason=moved.reason[:200], at=now, until=until, by_id=by_id,
    )  # fmt: skip
    breaker_changed.send(
        BreakerTransition, state=moved.after, reason=moved.reason, provider=account.alias
    )


@dataclass
class Gap:
    """The view of one worker: for how long the rows have shown another state than Redis."""

    _looked: datetime | None = None
    _since: datetime | None = None
    _state: BreakerState | None = None

    def close(self, account: Account, permit: Permit, now: datetime) -> None:
        """Write the row of a change that is missing, once it has been missing for a while."""
        if self._looked is not None and timedelta() <= now - self._looked < _LOOK:
            return
        self._looked = now
        if state_after(last(account)) == permit.state:
            self._state = None
        elif self._state != permit.state or self._since is None or now < self._since:
            self._since, self._state = now, permit.state
        elif now - self._since >= _PATIENCE:
            self._state = None
            _write_missing(account, permit, now)


def _write_missing(account: Account, permit: Permit, now: datetime) -> None:
    with transaction.atomic():
        # The lock lets one worker write: all workers notice that the row is missing.
        BreakerTransition.objects.select_for_update().filter(account=account.name).first()
        before = state_after(last(account))
        if before == permit.state:
            return
        until = None
        if permit.state == BreakerState.OPEN:
            until = now + timedelta(seconds=permit.wait)
        missed = Transition(
            before, permit.state, "the workers apply it already; its cause was lost"
        )
        write(account, missed, now, until=until)
