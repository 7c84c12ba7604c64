"""A line of the log for each outcome: a call to a provider, a webhook taken, a webhook applied.

A line names messages, tenants and providers by their ids, and has no phone number and no word of a text.
``request_id`` is the trace of the request that created the message: one search finds its whole way.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from delivery.models import Attempt, Message
from delivery.providers.base import ProviderEvent
from delivery.tracking.waiting import WaitingEvent

logger = logging.getLogger(__name__)


def on_sent(attempts: Sequence[tuple[Message, Attempt]]) -> None:
    """Write a line for each of ``attempts``, after the commit that stores them."""
    if logger.isEnabledFor(logging.INFO):
        transaction.on_commit(partial(_sent, attempts))


def _sent(attempts: Sequence[tuple[Message, Attempt]]) -> None:
    for message, attempt in attempts:
        logger.info(
            "A call to a provider ended",
            extra={
                "action": "send",
                "request_id": _hex(message.trace),
                "tenant": message.tenant_id,
                "message_id": message.pk,
                "batch": message.batch,
                "provider": message.provider,
                "provider_id": message.provider_id,
                "attempt": attempt.number,
                "outcome": str(attempt.outcome),
                "status": str(message.status),
                "http_status": attempt.http_status,
                "code": attempt.code,
                "began_at": attempt.started_at,
                "duration_ms": attempt.duration_ms,
                "lateness_ms": _lateness(message, attempt.started_at),
            },
        )


def drained(outcomes: Counter[str], seconds: float) -> None:
    """Write a line about one drain, if calls ended in it: the number of each outcome."""
    if outcomes:
        logger.info(
            "A worker sent texts",
            extra={
                "action": "drain",
                "calls": outcomes.total(),
                **outcomes,
                "seconds": round(seconds, 1),
            },
        )


def webhook_taken(events: Iterable[ProviderEvent], provider: str, seconds: float) -> None:
    """Write a line for each event of a webhook that is stored."""
    if not logger.isEnabledFor(logging.INFO):
        return
    for event in events:
        logger.info(
            "A webhook was stored",
            extra={
                "action": "webhook_taken",
                "provider": provider,
                "provider_id": event.provider_id,
                "event": event.event_id,
                "kind": event.event_type,
                "duration_ms": round(seconds * 1000, 1),
            },
        )


def on_applied(events: Sequence[WaitingEvent], now: datetime) -> None:
    """Write a line for each of ``events``, after the commit that marks them."""
    if logger.isEnabledFor(logging.INFO):
        transaction.on_commit(partial(_applied, events, now))


def _applied(events: Sequence[WaitingEvent], now: datetime) -> None:
    for event in events:
        logger.info(
            "A webhook was applied",
            extra={
                "action": "webhook_applied",
                "request_id": _hex(event.trace),
                "tenant": event.tenant_id,
                "message_id": event.message_id,
                "provider": event.provider,
                "provider_id": event.content.provider_id,
                "event": event.content.event_id,
                "kind": event.content.event_type,
                "result": str(event.result),
                "received_at": event.received_at,
                "waited_ms": _ms(event.received_at, now),
            },
        )


def _hex(trace: UUID | None) -> str | None:
    return None if trace is None else trace.hex


def _lateness(message: Message, started_at: datetime) -> int | None:
    """Return how long after its due time the first call of a message began."""
    due = message.scheduled_at or message.created_at
    return _ms(due, started_at) if message.calls == 1 else None


def _ms(earlier: datetime, later: datetime) -> int:
    return max(0, round((later - earlier).total_seconds() * 1000))
