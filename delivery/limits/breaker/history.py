"""The rows that tell people of the breaker, and what they miss when Redis or a worker was lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from delivery import conf
from delivery.limits.breaker.permit import Permit, Transition
from delivery.models import BreakerState, BreakerTransition
from delivery.signals import breaker_changed

_LOOK = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=2)
"""Who moves the breaker writes of it a moment later: the row may be on its way."""


def last() -> BreakerTransition | None:
    return BreakerTransition.objects.filter(account=conf.account()).first()


def judged(row: BreakerTransition | None) -> BreakerState:
    """The breaker's own judgement by its last row; an order that was taken back says nothing."""
    if row is None or row.after not in {BreakerState.OPEN, BreakerState.HALF_OPEN}:
        return BreakerState.CLOSED
    return BreakerState(row.after)


def write(
    moved: Transition,
    now: datetime,
    *,
    until: datetime | None = None,
    by: AbstractBaseUser | None = None,
) -> None:
    by_id: Any = None if by is None else by.pk
    BreakerTransition.objects.create(
        account=conf.account(), before=moved.before, after=moved.after,
        reason=moved.reason[:200], at=now, until=until, by_id=by_id,
    )  # fmt: skip
    breaker_changed.send(BreakerTransition, state=moved.after, reason=moved.reason)


@dataclass
class Gap:
    """The view of one worker: for how long the rows have told of another state than Redis does."""

    _looked: datetime | None = None
    _since: datetime | None = None
    _state: BreakerState | None = None

    def close(self, permit: Permit, now: datetime) -> None:
        """Write the change that is missing, once it has been missing for a while."""
        if self._looked is not None and timedelta() <= now - self._looked < _LOOK:
            return
        self._looked = now
        if judged(last()) == permit.state:
            self._state = None
        elif self._state != permit.state or self._since is None or now < self._since:
            self._since, self._state = now, permit.state
        elif now - self._since >= _PATIENCE:
            self._state = None
            _write_missing(permit, now)


def _write_missing(permit: Permit, now: datetime) -> None:
    with transaction.atomic():
        # One worker at a time: all of them notice it.
        BreakerTransition.objects.select_for_update().filter(account=conf.account()).first()
        before = judged(last())
        if before == permit.state:
            return
        until = None
        if permit.state == BreakerState.OPEN:
            until = now + timedelta(seconds=permit.wait)
        missed = Transition(before, permit.state, "what the workers go by; its cause was lost")
        write(missed, now, until=until)
