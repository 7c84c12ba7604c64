"""The stop of one tenant: a person orders that nothing of it is sent, until a time or until the order ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet

from delivery.models import TenantStop
from delivery.queue import hints
from delivery.signals import tenant_stop_changed

logger = logging.getLogger("delivery")

BY_TIME = "time"


def current(tenant_id: Any, now: datetime) -> TenantStop | None:
    """Return the stop of a tenant, or None."""
    return _standing(now).filter(tenant=tenant_id).first()


def stopped(now: datetime) -> set[Any]:
    """Return the keys of the tenants that are stopped."""
    return set(_standing(now).order_by().values_list("tenant_id", flat=True))


def active(now: datetime) -> QuerySet[TenantStop]:
    """Return the stops that stand, with their tenants, the newest first."""
    return _standing(now).select_related("tenant", "by")


def stop(
    tenant_id: Any,
    *,
    by: AbstractBaseUser | None,
    reason: str,
    until: datetime | None = None,
    now: datetime,
) -> None:
    """Order that nothing of the tenant is sent. A stop that stands gets the new reason and end.

    Raise ValueError without a reason. A call that a worker has begun is not called back.
    """
    if not reason.strip():
        raise ValueError("A stop needs a reason.")
    with transaction.atomic():
        # The history keeps the earlier order.
        _end(TenantStop.objects.filter(tenant=tenant_id), by, "replaced by another order", now)
        TenantStop.objects.create(
            tenant_id=tenant_id, reason=reason.strip()[:200], since=now, until=until,
            by_id=None if by is None else by.pk,
        )  # fmt: skip
        transaction.on_commit(partial(_tell, tenant_id, now))
    logger.warning(
        "The sending of a tenant is stopped",
        extra={"action": "tenant_stopped", "tenant": tenant_id},
    )


def start(tenant_id: Any, *, by: AbstractBaseUser | None, reason: str = "", now: datetime) -> bool:
    """End the stop of a tenant. Return False if there was none."""
    with transaction.atomic():
        ended = _end(TenantStop.objects.filter(tenant=tenant_id), by, reason, now)
        if ended:
            transaction.on_commit(partial(_tell, tenant_id, now))
    return bool(ended)


def end_expired(now: datetime) -> None:
    """End the stops that have expired. If several workers do it, one of them sends the signal."""
    over = TenantStop.objects.filter(ended_at__isnull=True, until__lte=now)
    for key, tenant_id in list(over.order_by("pk").values_list("pk", "tenant_id")):
        if over.filter(pk=key).update(ended_at=now, ended_by=BY_TIME):
            _tell(tenant_id, now)


def _standing(now: datetime) -> QuerySet[TenantStop]:
    unended = Q(until__isnull=True) | Q(until__gt=now)
    return TenantStop.objects.filter(unended, ended_at__isnull=True)


def _end(
    stops: QuerySet[TenantStop], by: AbstractBaseUser | None, reason: str, now: datetime
) -> int:
    name = "" if by is None else by.get_username()
    standing = stops.filter(ended_at__isnull=True)
    return standing.update(ended_at=now, ended_by=name[:150], end_reason=reason.strip()[:200])


def _tell(tenant_id: Any, now: datetime) -> None:
    """Wake the workers and the host."""
    hints.push()
    tenant_stop_changed.send_robust(TenantStop, tenant_id=tenant_id, now=now)


def names_of(stops: Sequence[TenantStop]) -> str:
    """Return the names of the tenants, as a list in a sentence."""
    return ", ".join(str(one.tenant) for one in stops)
