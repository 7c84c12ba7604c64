"""The daily cap: the number of message parts that one tenant may send in 24 hours.

Messages beyond the cap wait. A message counts once per generation, when a worker is about to send it
for the first time. The count is one row per tenant and hour, changed under a lock on the tenant's
``SpendLimit`` row, so that it is exact between workers and its cost does not grow with history. A
started hour counts in full until 24 hours after its end, so that no 24 hours exceed the cap.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from delivery import conf
from delivery.changes import message_changes
from delivery.drafts import DEFAULT_LIFE
from delivery.limits import waits
from delivery.models import Message, SpendLimit, SpentHour
from delivery.models.queue import DUE_STATUSES
from delivery.models.transitions import Failure
from delivery.queue import claim, hints
from delivery.signals import cap_changed

logger = logging.getLogger("delivery")

WAITS = Failure("daily_cap", "It waits: the daily cap of message parts is reached", waits.CLASS)
"""Shown on the messages that wait."""

_HOUR = timedelta(hours=1)
_COUNTED_FOR = timedelta(hours=25)
_KEPT = timedelta(hours=48)
_LOOK_AGAIN = timedelta(minutes=15)
"""The longest wait before the cap is read again, because a person may raise it."""


@dataclass(frozen=True, slots=True)
class Spend:
    """The parts used of the cap (None: no cap), and when the next waiting message can go, if one waits."""

    parts: int
    cap: int | None
    until: datetime | None


def current(tenant_id: Any, now: datetime) -> Spend:
    """Return the tenant's use of its cap."""
    limit = SpendLimit.objects.filter(tenant_id=tenant_id).first() or SpendLimit()
    waits = limit.waits_until if limit.waits_until and limit.waits_until > now else None
    counted = _counted(tenant_id, now).values_list("parts", flat=True)
    return Spend(sum(counted), _cap(limit), waits)


def caps(tenant_id: Any) -> tuple[int | None, int | None]:
    """Return the operator's cap of the tenant, and the tenant's own one (None: no cap)."""
    limit = SpendLimit.objects.filter(tenant_id=tenant_id).first() or SpendLimit()
    return _cap_by_operator(limit), limit.own_cap


def set_own_cap(tenant_id: Any, cap: int | None, now: datetime) -> None:
    """Set the tenant's own cap, and apply it to the messages that wait."""
    SpendLimit.objects.update_or_create(tenant_id=tenant_id, defaults={"own_cap": cap})
    release(tenant_id, now)


def waiting(now: datetime) -> list[SpendLimit]:
    """Return the limits of all tenants with messages that wait now."""
    limits = SpendLimit.objects.filter(waits_until__gt=now).select_related("tenant")
    return list(limits.order_by("reached_at"))


def begin(rows: Sequence[Message], now: datetime) -> list[Message]:
    """Count the claimed ``rows`` (of one tenant, in order), mark the calls of those within the cap as
    begun, and return these. Without a message that another worker holds by now.

    Rows beyond the cap return to the queue and wait.
    """
    if not rows:
        return []
    # Lock the limit before messages, as all code does, so that two workers cannot deadlock.
    with message_changes(now) as changes:
        limit, _ = SpendLimit.objects.select_for_update().get_or_create(tenant_id=rows[0].tenant_id)
        hours, cap = _hours(limit.tenant_id, now), _cap(limit)
        sums = accumulate(_cost(row) for row in rows)
        room = None if cap is None else cap - _used(hours)
        fitting = list(rows) if room is None else [
            row for row, total in zip(rows, sums, strict=True) if total <= room
        ]  # fmt: skip
        # A row without cost was counted before; it goes even if the cap is reached.
        fitting += [row for row in rows[len(fitting) :] if not _cost(row)]
        fits = {row.pk for row in fitting}
        held = [row for row in rows if row.pk not in fits]
        costs = {row.pk: _cost(row) for row in fitting}
        started = claim.start_calls(fitting, now)
        _count(limit.tenant_id, sum(costs[row.pk] for row in started), now)
        waits.revive(started, now)
        until = _until(hours, cap, _cost(held[0]), now) if held else None
        if until is not None:
            again = min(until, now + _LOOK_AGAIN)
            waits.hold(held, WAITS, dict.fromkeys((row.pk for row in held), again), changes, now)
        _note(limit, until, now)
    return started


def release(tenant_id: Any, now: datetime) -> int:
    """Make the waiting messages of a tenant due now, after a change of its cap. Return their number."""
    count = _waiting(tenant_id).update(next_attempt_at=now)
    transaction.on_commit(hints.push)
    return count


def prunable(now: datetime) -> QuerySet[SpentHour]:
    """Return the hours that are too old to count."""
    return SpentHour.objects.filter(hour__lt=now - _KEPT)


def _waiting(tenant_id: Any) -> QuerySet[Message]:
    return Message.objects.filter(
        tenant_id=tenant_id, status__in=DUE_STATUSES, error_code=WAITS.code
    )


def _cap(limit: SpendLimit) -> int | None:
    caps = [cap for cap in (_cap_by_operator(limit), limit.own_cap) if cap is not None]
    return min(caps, default=None)


def _cap_by_operator(limit: SpendLimit) -> int | None:
    return conf.daily_parts() if limit.cap is None else limit.cap


def _cost(row: Message) -> int:
    return 0 if row.counted_generation == row.generation else row.parts


def _hours(tenant_id: Any, now: datetime) -> list[SpentHour]:
    return list(_counted(tenant_id, now).order_by("hour"))


def _counted(tenant_id: Any, now: datetime) -> QuerySet[SpentHour]:
    return SpentHour.objects.filter(tenant_id=tenant_id, hour__gt=now - _COUNTED_FOR)


def _used(hours: Sequence[SpentHour]) -> int:
    return sum(hour.parts for hour in hours)


def _count(tenant_id: Any, parts: int, now: datetime) -> None:
    if not parts:
        return
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    mine = SpentHour.objects.filter(tenant_id=tenant_id, hour=hour)
    if not mine.update(parts=F("parts") + parts):
        SpentHour.objects.create(tenant_id=tenant_id, hour=hour, parts=parts)
        prunable(now).filter(tenant_id=tenant_id).delete()


def _until(hours: Sequence[SpentHour], cap: int | None, cost: int, now: datetime) -> datetime:
    """Return when a message of ``cost`` parts fits; a day ahead if the cap itself is too small."""
    left = (cap or 0) - _used(hours) - cost
    for hour in hours:
        left += hour.parts
        if left >= 0:
            return hour.hour + _COUNTED_FOR
    return now + DEFAULT_LIFE


def _note(limit: SpendLimit, until: datetime | None, now: datetime) -> None:
    """Store whether messages wait, and signal a change."""
    if until is None and (limit.reached_at is None or _waiting(limit.tenant_id).exists()):
        return
    begins, ends = limit.reached_at is None, until is None
    limit.waits_until = until
    limit.reached_at = None if ends else limit.reached_at or now
    limit.save(update_fields=["reached_at", "waits_until"])
    if begins:
        logger.error(
            "A tenant has reached its daily cap; its messages wait",
            extra={"action": "daily_cap_reached", "tenant": limit.tenant_id},
        )
    if begins or ends:
        tell = partial(cap_changed.send_robust, SpendLimit, tenant_id=limit.tenant_id, now=now)
        transaction.on_commit(tell)
