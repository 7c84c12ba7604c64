"""Orders of a person to send fewer parts a second than the pace, for an account or a number, until a time.

A slowdown never raises the pace: the provider sets that limit, and refuses or charges what goes beyond it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from delivery import conf
from delivery.models import Slowdown
from delivery.providers import registry
from delivery.providers.base import Account
from delivery.queue import hints
from delivery.signals import slowdown_changed

logger = logging.getLogger("delivery")

Rates = Mapping[tuple[str, str], float]
"""Account name and sending number (empty: the whole account) -> parts a second."""
NOTHING_SLOWED: Rates = {}

BY_TIME = "time"
SLOWEST = 0.1
"""Parts a second. A text of ten parts then takes 100 seconds; slower is a stop."""
MOST = 200
"""Slowdowns that stand at once: each worker reads them every second."""


class SlowdownRefusedError(ValueError):
    """The order cannot be given. The message is a sentence for the person."""


def pace(account: Account, sender: str = "") -> float | None:
    """Return the configured parts a second of an account, or of one of its numbers; None: no limit."""
    own = conf.sender_rate(account.alias) if sender else None
    return slowest(conf.account_rate(account.alias), own)


def slowest(*rates: float | None) -> float | None:
    """Return the least of the rates; None: no limit."""
    return min((rate for rate in rates if rate is not None), default=None)


def in_words(rate: float) -> str:
    """Return the rate as words in a sentence."""
    return f"{rate:g} {'part' if rate == 1 else 'parts'} a second"


def rates(now: datetime) -> Rates:
    """Return the slowed rates, for a worker: one query of at most ``MOST`` rows."""
    rows = standing(now).order_by().values_list("account", "sender", "rate")[:MOST]
    return {(account, sender): rate for account, sender, rate in rows}


def standing(now: datetime) -> QuerySet[Slowdown]:
    """Return the slowdowns that stand, the newest first."""
    return Slowdown.objects.filter(ended_at__isnull=True, until__gt=now)


def slow(
    account: Account,
    *,
    sender: str = "",
    rate: float,
    by: AbstractBaseUser | None,
    reason: str,
    until: datetime,
    now: datetime,
) -> Slowdown:
    """Order at most ``rate`` parts a second. A slowdown that stands is replaced, and stays as history.

    Raise SlowdownRefusedError if the rate is not below the pace, or without a reason or a later end.
    """
    _check(account, sender, rate, reason, until, now)
    with transaction.atomic():
        same = Slowdown.objects.filter(account=account.name, sender=sender)
        _end(same, by, "replaced by another order", now)
        if standing(now).count() >= MOST:
            raise SlowdownRefusedError(f"{MOST} slowdowns stand. End one of them first.")
        row = Slowdown(
            account=account.name, sender=sender, rate=rate, reason=reason.strip()[:200], since=now,
            until=until, by_id=None if by is None else by.pk,
        )  # fmt: skip
        _insert(row)
        transaction.on_commit(partial(_tell, account.name, sender, now))
    logger.warning(
        "A person has slowed the sending",
        extra={"action": "slowed", "provider": account.alias, "rate": rate},
    )
    return row


def end(key: int, *, by: AbstractBaseUser | None, reason: str = "", now: datetime) -> bool:
    """End a slowdown. Return False if it has ended."""
    with transaction.atomic():
        row = Slowdown.objects.filter(pk=key).first()
        ended = _end(Slowdown.objects.filter(pk=key), by, reason, now)
        if row is not None and ended:
            transaction.on_commit(partial(_tell, row.account, row.sender, now))
    return bool(ended)


def end_expired(now: datetime) -> None:
    """End the slowdowns that have expired. If several workers do it, one of them sends the signal."""
    over = Slowdown.objects.filter(ended_at__isnull=True, until__lte=now).order_by("pk")
    for key, account, sender in list(over.values_list("pk", "account", "sender")[:MOST]):
        if over.filter(pk=key).update(ended_at=now, ended_by=BY_TIME):
            _tell(account, sender, now)


def _check(
    account: Account, sender: str, rate: float, reason: str, until: datetime, now: datetime
) -> None:
    usual = pace(account, sender)
    if not reason.strip():
        raise SlowdownRefusedError("A slowdown needs a reason.")
    if until <= now:
        raise SlowdownRefusedError("The end of a slowdown must lie ahead.")
    if not rate >= SLOWEST:
        raise SlowdownRefusedError(
            f"The slowest is {in_words(SLOWEST)}. To send nothing, stop the account or the tenant."
        )
    if usual is not None and rate >= usual:
        raise SlowdownRefusedError(
            f"The usual pace is {in_words(usual)}. A slowdown must be below it."
        )


def _insert(row: Slowdown) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Two persons ordered at once, and each ended the order that stood before.
        raise SlowdownRefusedError(
            "A colleague has just slowed this. Look at the list, then decide."
        ) from None


def _end(rows: QuerySet[Slowdown], by: AbstractBaseUser | None, reason: str, now: datetime) -> int:
    name = "" if by is None else by.get_username()
    return rows.filter(ended_at__isnull=True).update(
        ended_at=now, ended_by=name[:150], end_reason=reason.strip()[:200]
    )


def _tell(name: str, sender: str, now: datetime) -> None:
    """Wake the workers and the host."""
    hints.push()
    for account in registry.accounts():
        if account.name == name:
            slowdown_changed.send_robust(
                Slowdown, provider=account.alias, sender_number=sender, now=now
            )
