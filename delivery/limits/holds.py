"""The hold on a whole provider account: after a 401, 402 or 403, and at a daily limit."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from delivery import conf
from delivery.models import AccountHold

logger = logging.getLogger("delivery")


def current(now: datetime) -> AccountHold | None:
    """The hold that is on now; one whose time has passed is none."""
    return _open().filter(Q(until__isnull=True) | Q(until__gt=now)).first()


def hold(code: str, title: str, *, now: datetime, until: datetime | None = None) -> None:
    """Hold the account, once; alerts with an ERROR where it was not held before."""
    with transaction.atomic():
        _open().filter(until__lte=now).update(ended_at=now, ended_by="time")
        _, begun = AccountHold.objects.get_or_create(
            account=conf.account(),
            ended_at=None,
            defaults={"code": code[:40], "title": title[:200], "since": now, "until": until},
        )
    if begun:
        logger.error(
            "The provider account is held: nothing is sent until this is put right",
            extra={"action": "account_held", "code": code},
        )


def end(*, by: str, now: datetime) -> bool:
    """End the hold; False where there was none."""
    return bool(_open().update(ended_at=now, ended_by=by[:150]))


def _open() -> QuerySet[AccountHold]:
    return AccountHold.objects.filter(account=conf.account(), ended_at__isnull=True)
