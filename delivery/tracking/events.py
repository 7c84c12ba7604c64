"""Apply stored webhook events in batches: each event once, in any order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, When

from delivery.changes import Changes, message_changes
from delivery.isolation import all_or_each, or_skip
from delivery.models import WebhookEvent
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.providers import registry
from delivery.providers.base import DeliveryReport, InboundText, ProviderEvent
from delivery.tracking import inbound, status
from delivery.tracking.inbound import Incoming
from delivery.tracking.status import Reported

logger = logging.getLogger("delivery")

_SOONEST = timedelta(seconds=0.5)
_LATEST = timedelta(hours=1)
_MARKS = ("applied_at", "due_at", "result", "message")
_TEXTS_FIRST = Case(When(event_type=TEXT_RECEIVED, then=0), default=1)


def apply_waiting_events(now: datetime, limit: int = 200) -> int:
    """Apply the stored events that are due, and return their number.

    An early event (before its message or tenant exists, or during a new send of the message) waits,
    longer each time. A bad event does not block other events.
    """
    if not WebhookEvent.objects.due(now).exists():
        return 0
    return all_or_each(
        lambda: len(_apply(_due(now), limit, now)),
        lambda: _apply_one_by_one(limit, now),
        message="A batch of webhook events failed; they are applied one by one",
        action="webhook_batch_failed",
    )


def _due(now: datetime) -> list[int]:
    """Return the keys of the next due events, inbound messages first.

    A STOP must not wait behind the reports of a broadcast while further messages are sent.
    """
    due = WebhookEvent.objects.due(now).order_by("due_at", "id").values_list("pk", flat=True)
    texts = list(due.filter(event_type=TEXT_RECEIVED)[:1000])
    return [*texts, *due.exclude(event_type=TEXT_RECEIVED)[: 1000 - len(texts)]]


def _apply_one_by_one(limit: int, now: datetime) -> int:
    ids = _due(now)[:limit]
    for pk in ids:
        _apply_one(pk, now)
    return len(ids)


def _apply_one(pk: int, now: datetime) -> int:
    def postpone() -> int:
        event = WebhookEvent.objects.get(pk=pk)
        _postpone(event, now)
        return WebhookEvent.objects.waiting().filter(pk=pk).update(due_at=event.due_at)

    return or_skip(
        lambda: len(_apply([pk], 1, now)),
        postpone,
        message="A webhook event cannot be applied",
        action="webhook_not_applied",
        event=pk,
    )


def _apply(ids: Sequence[int], limit: int, now: datetime) -> list[WebhookEvent]:
    with message_changes(now) as changes:
        waiting = WebhookEvent.objects.waiting().filter(pk__in=ids)
        waiting = waiting.order_by(_TEXTS_FIRST, "due_at", "id")
        events = list(waiting.select_for_update(skip_locked=True, of=("self",))[:limit])
        if events:
            _apply_locked(events, changes, now)
            WebhookEvent.objects.write(events, _MARKS)
    return events


def _apply_locked(events: Sequence[WebhookEvent], changes: Changes, now: datetime) -> None:
    reported: list[Reported] = []
    incoming: list[Incoming] = []
    too_early: list[WebhookEvent] = []
    for event in events:
        try:
            content = _read(event)
        except registry.UnknownProviderError:
            too_early.append(event)  # Its provider may be configured again.
            continue
        if isinstance(content, InboundText):
            incoming.append(Incoming(event, content))
        elif isinstance(content, DeliveryReport):
            reported.append(Reported(event, content))
        else:
            _mark_without_effect(event, now)
    too_early += [item.event for item in status.apply(reported, changes, now)]
    too_early += [item.event for item in inbound.apply(incoming, changes, now)]
    for event in too_early:
        _postpone(event, now)


def _read(event: WebhookEvent) -> DeliveryReport | InboundText | None:
    stored = ProviderEvent(
        event_id=event.event_id,
        event_type=event.event_type,
        provider_id=event.provider_id,
        ref=event.ref,
        occurred_at=event.occurred_at,
        payload=event.payload,
    )
    return registry.get(event.provider).read_event(stored)


def _mark_without_effect(event: WebhookEvent, now: datetime) -> None:
    event.applied_at, event.result = now, WebhookEvent.Result.WITHOUT_EFFECT
    transaction.on_commit(
        lambda: logger.warning(
            "A webhook event of an unknown type or form",
            extra={"action": "webhook_unknown", "event": event.pk},
        )
    )


def _postpone(event: WebhookEvent, now: datetime) -> None:
    """Make the event due again at twice its present age."""
    age = now - event.received_at
    event.due_at = now + min(max(age, _SOONEST), _LATEST)
