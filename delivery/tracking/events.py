"""Apply stored webhook events in batches: each event once, in any order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from delivery import outcome_lines
from delivery.changes import Changes, message_changes
from delivery.isolation import all_or_each, or_skip
from delivery.models import WebhookEvent
from delivery.providers import registry
from delivery.providers.base import DeliveryReport, InboundText, Provider
from delivery.signals import events_applied
from delivery.tracking import inbound, status, waiting
from delivery.tracking.inbound import Incoming
from delivery.tracking.status import Reported
from delivery.tracking.waiting import WaitingEvent

logger = logging.getLogger("delivery")


def text_waits(now: datetime) -> bool:
    """Return whether an inbound text is stored and not applied."""
    return waiting.due_kinds(now)[1]


def apply_waiting_events(now: datetime, limit: int = 200) -> int:
    """Apply the stored events that are due, and return their number.

    One call is one transaction with at most ``limit`` events; a caller with more urgent work calls again
    after it. An early event (before its message or tenant exists, or during a new send of the message)
    waits, longer each time. A bad event does not block other events.
    """
    anything, texts = waiting.due_kinds(now)
    if not anything:
        return 0
    return all_or_each(
        lambda: _apply(lambda: waiting.lock_due(now, limit, texts=texts), now),
        lambda: _apply_one_by_one(limit, now),
        message="A batch of webhook events failed; they are applied one by one",
        action="webhook_batch_failed",
    )


def _apply_one_by_one(limit: int, now: datetime) -> int:
    ids = waiting.due(now, limit)
    for pk in ids:
        _apply_one(pk, now)
    return len(ids)


def _apply_one(pk: int, now: datetime) -> int:
    return or_skip(
        lambda: _apply(lambda: waiting.lock_one(pk), now),
        lambda: waiting.postpone(pk, now),
        message="A webhook event cannot be applied",
        action="webhook_not_applied",
        event_row=pk,
    )


def _apply(lock: Callable[[], list[WaitingEvent]], now: datetime) -> int:
    """Apply the events that ``lock`` returns, and return their number."""
    with message_changes(now) as changes:
        events = lock()
        if events:
            _apply_locked(events, changes, now)
            waiting.mark(events, now)
    if applied := [event for event in events if event.result]:
        events_applied.send_robust(sender=WebhookEvent, events=applied, now=now)
        outcome_lines.on_applied(applied, now)
    return len(events)


def _apply_locked(events: Sequence[WaitingEvent], changes: Changes, now: datetime) -> None:
    reported: list[Reported] = []
    incoming: list[Incoming] = []
    providers = _providers({event.provider for event in events})
    for event in events:
        provider = providers[event.provider]
        if provider is None:
            continue  # It may be configured again.
        content = provider.read_event(event.content)
        if isinstance(content, InboundText):
            incoming.append(Incoming(event, content))
        elif isinstance(content, DeliveryReport):
            reported.append(Reported(event, content))
        else:
            _mark_without_effect(event)
    status.apply(reported, changes, now)
    inbound.apply(incoming, changes, now)


def _providers(wanted: set[str]) -> dict[str, Provider | None]:
    """Return the providers by alias; None for an alias that the settings do not have."""
    known = set(registry.aliases())
    return {alias: registry.get(alias) if alias in known else None for alias in wanted}


def _mark_without_effect(event: WaitingEvent) -> None:
    event.result = WebhookEvent.Result.WITHOUT_EFFECT
    transaction.on_commit(
        lambda: logger.warning(
            "A webhook event of an unknown type or form",
            extra={
                "action": "webhook_unknown",
                "provider": event.provider,
                "event": event.content.event_id,
                "kind": event.content.event_type,
            },
        )
    )
