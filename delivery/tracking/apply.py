"""Applying stored webhook events, in batches: each once, whatever their order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Case, When

from delivery.changes import Changes, message_changes
from delivery.models import WebhookEvent
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.tracking import inbound_batch, outbound_batch
from delivery.tracking.inbound import inbound_text
from delivery.tracking.matching import Reported
from delivery.tracking.report import status_report

logger = logging.getLogger("delivery")

_SOONEST = timedelta(seconds=0.5)
_LATEST = timedelta(hours=1)
_MARKS = ("applied_at", "due_at", "result", "message")
_TEXTS_FIRST = Case(When(event_type=TEXT_RECEIVED, then=0), default=1)
_STATUS_EVENTS = {"message.sent", "message.finalized", "message.read"}


def apply_waiting_events(now: datetime, limit: int = 200) -> int:
    """Apply what is due of the stored events; how many were looked at.

    An event that comes too early (its message or tenant is not there, or a new send of the message is
    on its way) is looked at again, later and later.
    One that cannot be applied does not stand in the way of the others.
    """
    if not WebhookEvent.objects.due(now).exists():
        return 0
    try:
        return len(_apply(_due(now), limit, now))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.warning(
            "A batch of webhook events failed; they are applied one by one",
            extra={"action": "webhook_batch_failed", "error": type(error).__name__},
        )
        return _apply_one_by_one(limit, now)


def _due(now: datetime) -> list[int]:
    """Return the keys of what is due next. The texts of people go first: a STOP must not wait behind
    the reports of a broadcast, while the next texts go out."""
    due = WebhookEvent.objects.due(now).order_by("due_at", "id").values_list("pk", flat=True)
    texts = list(due.filter(event_type=TEXT_RECEIVED)[:1000])
    return [*texts, *due.exclude(event_type=TEXT_RECEIVED)[: 1000 - len(texts)]]


def _apply_one_by_one(limit: int, now: datetime) -> int:
    ids = _due(now)[:limit]
    for pk in ids:
        try:
            _apply([pk], 1, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception(
                "A webhook event cannot be applied",
                extra={"action": "webhook_not_applied", "event": pk, "error": type(error).__name__},
            )
            _postpone_alone(pk, now)
    return len(ids)


def _postpone_alone(pk: int, now: datetime) -> None:
    event = WebhookEvent.objects.get(pk=pk)
    _postpone(event, now)
    WebhookEvent.objects.waiting().filter(pk=pk).update(due_at=event.due_at)


def _apply(ids: Sequence[int], limit: int, now: datetime) -> list[WebhookEvent]:
    with message_changes(now) as changes:
        waiting = WebhookEvent.objects.waiting().filter(pk__in=ids)
        waiting = waiting.order_by(_TEXTS_FIRST, "due_at", "id")
        events = list(waiting.select_for_update(skip_locked=True, of=("self",))[:limit])
        if events:
            _read(events, changes, now)
            WebhookEvent.objects.write(events, _MARKS)
    return events


def _read(events: Sequence[WebhookEvent], changes: Changes, now: datetime) -> None:
    reported: list[Reported] = []
    incoming: list[inbound_batch.Incoming] = []
    for event in events:
        payload = event.payload.get("payload")
        if event.event_type == TEXT_RECEIVED:
            text = inbound_text(payload, at=event.occurred_at)
            if text is not None:
                incoming.append(inbound_batch.Incoming(event, text))
                continue
        elif event.event_type in _STATUS_EVENTS:
            report = status_report(payload, at=event.occurred_at)
            if report is not None:
                reported.append(Reported(event, report))
                continue
        _without_effect(event, now)
    too_early = [item.event for item in outbound_batch.apply(reported, changes, now)]
    too_early += [item.event for item in inbound_batch.apply(incoming, changes, now)]
    for event in too_early:
        _postpone(event, now)


def _without_effect(event: WebhookEvent, now: datetime) -> None:
    event.applied_at, event.result = now, WebhookEvent.Result.WITHOUT_EFFECT
    transaction.on_commit(
        lambda: logger.warning(
            "A webhook event of an unknown type or form",
            extra={"action": "webhook_unknown", "event": event.pk},
        )
    )


def _postpone(event: WebhookEvent, now: datetime) -> None:
    """Look again when it is twice as old as now."""
    age = now - event.received_at
    event.due_at = now + min(max(age, _SOONEST), _LATEST)
