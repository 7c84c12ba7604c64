"""Apply stored webhook events once more, by order of a person; find the events with an unknown message.

An event is applied by rank and time, so a second time changes nothing that a newer event has changed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from delivery.models import WebhookEvent
from delivery.models.webhook_event import TEXT_RECEIVED, WebhookEventQuerySet
from delivery.queue import hints

UNMATCHED_AFTER = timedelta(minutes=1)
"""A report may overtake the answer to the call that it is about."""
_TEXT_IS_STORED = Q(
    event_type=TEXT_RECEIVED,
    result__in=[WebhookEvent.Result.APPLIED, WebhookEvent.Result.SUPERSEDED],
)
"""A text that was deleted since, perhaps because its sender asked for it, must not come back."""


def replay(keys: Collection[int], now: datetime) -> int:
    """Let workers apply these events again, and return how many they will.

    A received text that is stored already stays out.
    """
    with transaction.atomic():
        rows = WebhookEvent.objects.filter(pk__in=keys)
        waiting = rows.waiting().update(due_at=now)
        again = (
            rows.filter(applied_at__isnull=False, applied_at__lt=now)
            .exclude(_TEXT_IS_STORED)
            .update(applied_at=None, result="", due_at=now)
        )
        transaction.on_commit(hints.push)
    return waiting + again


def unmatched(now: datetime) -> WebhookEventQuerySet:
    """Return the events that wait for an unknown message or number."""
    return WebhookEvent.objects.waiting().filter(received_at__lt=now - UNMATCHED_AFTER)


def count_unmatched(now: datetime, *, most: int = 1000) -> int:
    """Return the number of such events, at most ``most``."""
    return unmatched(now).order_by()[:most].count()


def give_up(keys: Collection[int], now: datetime) -> int:
    """Close waiting events as not ours, and return their number."""
    rows = WebhookEvent.objects.waiting().filter(pk__in=keys)
    return rows.update(applied_at=now, result=WebhookEvent.Result.NOT_OURS)


def advice(event: WebhookEvent) -> str:
    """Return what support can do about an event that waits, or about its result."""
    if event.applied_at is not None:
        return {
            WebhookEvent.Result.APPLIED: "Nothing: it was applied.",
            WebhookEvent.Result.SUPERSEDED: "Nothing: a newer report had said more.",
            WebhookEvent.Result.NOT_OURS: (
                "Nothing, unless the number or the text is known by now: then replay it."
            ),
        }.get(WebhookEvent.Result(event.result), "Nothing: it says nothing about a text.")
    if event.event_type == TEXT_RECEIVED:
        return (
            "A person texted a number that no tenant has. Give the number to its tenant, then replay"
            " the event. If the number is not yours, take it off the account, then close the event."
        )
    return (
        "No text has this id. If another system sends through the same account, point its webhooks"
        " elsewhere and close the event. After a restore of the database, look the id up at the"
        " provider, then close the event."
    )
