"""The stored webhook events that wait: find, read and lock the due ones, and mark them.

A group of events is read as plain rows, with the payload as text, and marked in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connections
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from delivery.models import WebhookEvent, bulk_write
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.providers.base import ProviderEvent

_SOONEST = timedelta(seconds=0.5)
_LATEST = timedelta(hours=1)
_IS_DUE = "SELECT 1 FROM delivery_webhookevent WHERE applied_at IS NULL AND due_at <= %s"
_DUE_KINDS = f"SELECT EXISTS ({_IS_DUE}), EXISTS ({_IS_DUE} AND event_type = '{TEXT_RECEIVED}')"


@dataclass(slots=True, eq=False)
class WaitingEvent:
    """A locked event and the result of applying it."""

    pk: int
    provider: str
    """The alias of the account."""
    received_at: datetime
    content: ProviderEvent
    message_id: int | None = None
    tenant_id: Any = None
    trace: UUID | None = None
    """The trace of the message."""
    result: str = ""
    """Empty while its message or tenant is missing: then it stays due, later each time."""


def due_kinds(now: datetime) -> tuple[bool, bool]:
    """Return whether any event is due, and whether a text from a person is due.

    Raw SQL: an idle worker asks this ten times a second, and the ORM would cost five times as much.
    """
    connection = connections[WebhookEvent.objects.db]
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_DUE_KINDS, [moment, moment])
        anything, texts = cursor.fetchone()
    return bool(anything), bool(texts)


def due(now: datetime, limit: int) -> list[int]:
    """Return the keys of the next due events, texts from people first."""
    rows = WebhookEvent.objects.due(now).order_by("due_at", "id").values_list("pk", flat=True)
    texts = list(rows.filter(event_type=TEXT_RECEIVED)[:limit])
    return [*texts, *rows.exclude(event_type=TEXT_RECEIVED)[: limit - len(texts)]]


def lock_due(now: datetime, limit: int, *, texts: bool) -> list[WaitingEvent]:
    """Lock and return up to ``limit`` due events that no other worker has locked.

    Texts from people come first: a STOP must not wait behind the reports of a broadcast while further
    messages are sent.
    """
    is_due = Q(due_at__lte=now)
    found = _lock(is_due & Q(event_type=TEXT_RECEIVED), limit) if texts else []
    if len(found) < limit:
        found += _lock(is_due & ~Q(event_type=TEXT_RECEIVED), limit - len(found))
    return found


def lock_one(pk: int) -> list[WaitingEvent]:
    """Lock and return the event, unless it is applied or another worker has locked it."""
    return _lock(Q(pk=pk), 1)


def mark(events: Sequence[WaitingEvent], now: datetime) -> None:
    """Write the results of ``events``; an event without a result becomes due again later."""
    done = [event for event in events if event.result]
    bulk_write.write_values(
        WebhookEvent,
        [event.pk for event in done],
        {
            "applied_at": [now] * len(done),
            "result": [event.result for event in done],
            "message": [event.message_id for event in done],
        },
        using=WebhookEvent.objects.db,
    )
    early = [event for event in events if not event.result]
    bulk_write.write_values(
        WebhookEvent,
        [event.pk for event in early],
        {"due_at": [_next_try(event.received_at, now) for event in early]},
        using=WebhookEvent.objects.db,
    )


def postpone(pk: int, now: datetime) -> int:
    """Make one event due again later, where it is still waiting. Return the number of events."""
    event = WebhookEvent.objects.waiting().filter(pk=pk)
    received_at = event.values_list("received_at", flat=True).first()
    return event.update(due_at=_next_try(received_at, now)) if received_at else 0


def _next_try(received_at: datetime, now: datetime) -> datetime:
    """Return the time at which the event has twice its present age."""
    return now + min(max(now - received_at, _SOONEST), _LATEST)


def _lock(which: Q, limit: int) -> list[WaitingEvent]:
    rows = (
        WebhookEvent.objects.waiting()
        .filter(which)
        .order_by("due_at", "id")
        .select_for_update(skip_locked=True, of=("self",))
        .values_list(
            "pk", "provider", "received_at", "event_id", "event_type", "provider_id", "ref",
            "occurred_at", Cast("payload", TextField()),
        )
    )  # fmt: skip
    return [
        WaitingEvent(
            pk,
            provider,
            received_at,
            ProviderEvent(
                event_id=event_id,
                event_type=event_type,
                provider_id=provider_id,
                ref=ref,
                occurred_at=occurred_at,
                payload=orjson.loads(payload),
            ),
        )
        for (
            pk, provider, received_at, event_id, event_type, provider_id, ref, occurred_at, payload,
        ) in rows[:limit]
    ]  # fmt: skip
