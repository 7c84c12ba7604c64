"""Delete old messages, with their attempts and decisions.

A message that waits, is on its way, or waits for the decision of a person is never deleted. A message is as
old as its last change. Small slices by the index of a tenant's messages, a transaction for each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, Q

from delivery import batches, conf
from delivery.models import Attempt, DeadLetterAction, Message
from delivery.models.queue import MessageQuerySet
from delivery.retention.archives import Archives
from delivery.retention.pace import Pace
from delivery.statuses import DEAD_LETTERS, ON_ITS_WAY, UNFINISHED, Status

LEAST_DAYS = 35
"""Reports of the last thirty days, look-ups and late webhooks need the messages for so long."""
_KIND = "texts"
_ENDED = tuple(
    sorted(status.value for status in set(Status) - UNFINISHED - ON_ITS_WAY - DEAD_LETTERS)
)
_DECIDED = Q(status__in=_ENDED, asks_to_stop=False) | Q(
    status__in=sorted(DEAD_LETTERS), discarded_at__isnull=False
)
_FIELDS = Message._meta.concrete_fields
COLUMNS = (*(field.attname for field in _FIELDS), "attempts", "decisions")

_Place = tuple[datetime, int]


def delete_old(now: datetime, archives: Archives, pace: Pace) -> int:
    """Delete the old messages of all tenants. Return their number."""
    return sum(
        number
        for tenant, days in _days_kept()
        for number in _delete_of(tenant, now - timedelta(days=days), archives, pace)
    )


def count_old(now: datetime) -> int:
    """Return how many messages :func:`delete_old` would delete."""
    return sum(old(tenant, now - timedelta(days=days)).count() for tenant, days in _days_kept())


def old(tenant: Any, before: datetime) -> MessageQuerySet:
    """Return the messages of a tenant that may be deleted, by the index of their creation."""
    rows = Message.objects.filter(tenant=tenant, created_at__lt=before, updated_at__lt=before)
    return rows.filter(_DECIDED).order_by("created_at", "pk")


def _days_kept() -> list[tuple[Any, int]]:
    kept = conf.deletion().days_kept()
    return [(tenant, max(days, LEAST_DAYS)) for tenant, days in kept.items()]


def _delete_of(tenant: Any, before: datetime, archives: Archives, pace: Pace) -> Iterator[int]:
    place: _Place | None = None
    if old(tenant, before).exists():
        archives.prepare(_KIND)
    while True:
        with pace.slice() as most, archives.transaction():
            free = _behind(old(tenant, before), place).select_for_update(
                skip_locked=True, of=("self",)
            )
            rows = list(free[:most])
            deleted = _delete(rows, archives)
        yield deleted
        if len(rows) < most:
            return
        place = rows[-1].created_at, rows[-1].pk


def _behind(rows: MessageQuerySet, place: _Place | None) -> MessageQuerySet:
    if place is None:
        return rows
    at, pk = place
    # The first condition bounds the walk through the index.
    return rows.filter(Q(created_at__gt=at) | Q(pk__gt=pk), created_at__gte=at)


def _delete(rows: Sequence[Message], archives: Archives) -> int:
    """Archive and delete locked messages, and correct what refers to them."""
    deletion = conf.deletion()
    threads = {row.thread for row in rows if row.thread is not None}
    free = set(deletion.lock_threads(threads)) if threads else set()
    mine = [row for row in rows if row.thread is None or row.thread in free]
    if not mine:
        return 0
    keys = [row.pk for row in mine]
    archives.append(_KIND, COLUMNS, _cells(mine, keys))
    batches.remember_deleted(
        Counter((row.batch, row.status) for row in mine if row.batch is not None)
    )
    Message.objects.filter(pk__in=keys).delete()
    deletion.deleted(mine)
    return len(mine)


def _cells(rows: Sequence[Message], keys: Sequence[int]) -> Iterable[Sequence[Any]]:
    attempts = _by_message(Attempt.objects.filter(message__in=keys).order_by("number"))
    decisions = _by_message(DeadLetterAction.objects.filter(message__in=keys).order_by("pk"))
    for row in rows:
        own = [field.value_from_object(row) for field in _FIELDS]
        yield [*own, attempts[row.pk], decisions[row.pk]]


def _by_message(rows: Iterable[Any]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(values_of(row, leave_out=("id", "message_id")))
    return found


def values_of(row: Model, *, leave_out: Sequence[str] = ()) -> dict[str, Any]:
    """Return the columns of a row."""
    fields = row._meta.concrete_fields
    return {
        field.attname: field.value_from_object(row)
        for field in fields
        if field.attname not in leave_out
    }
