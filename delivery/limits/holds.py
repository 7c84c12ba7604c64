"""The hold on a whole provider account: after a 401, 402 or 403, and at a daily limit."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from delivery.models import AccountHold
from delivery.providers.base import Account

logger = logging.getLogger("delivery")


def current(account: Account, now: datetime) -> AccountHold | None:
    """Return the present hold; an expired hold does not count."""
    return present(account, now).first()


def present(account: Account, now: datetime) -> QuerySet[AccountHold]:
    """Return the present hold as a query of at most one row."""
    return _open(account).filter(Q(until__isnull=True) | Q(until__gt=now))


def hold(
    account: Account, code: str, title: str, *, now: datetime, until: datetime | None = None
) -> None:
    """Hold the account, once. Log an ERROR where it was not held before."""
    with transaction.atomic():
        _open(account).filter(until__lte=now).update(ended_at=now, ended_by="time")
        _, begun = AccountHold.objects.get_or_create(
            account=account.name,
            ended_at=None,
            defaults={"code": code[:40], "title": title[:200], "since": now, "until": until},
        )
    if begun:
        logger.error(
            "The provider account is held: nothing is sent through it until a person ends the hold",
            extra={"action": "account_held", "provider": account.alias, "code": code},
        )


def end(account: Account, *, by: str, now: datetime) -> bool:
    """End the hold; return False where there was none."""
    return bool(_open(account).update(ended_at=now, ended_by=by[:150]))


def _open(account: Account) -> QuerySet[AccountHold]:
    return AccountHold.objects.filter(account=account.name, ended_at__isnull=True)
