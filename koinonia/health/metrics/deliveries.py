"""Counts texts, calls and webhooks, by the signals of ``delivery``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from delivery.changes import Change
from delivery.models import Priority
from delivery.settle import Result
from delivery.statuses import ENDED_BY_US, FROM_PROVIDER, Status
from delivery.tracking.waiting import WaitingEvent
from koinonia.health.metrics import church_sizes, instruments

_OUTCOMES = FROM_PROVIDER | ENDED_BY_US | {Status.RECEIVED}
_PRIORITIES = {priority.value: priority.name.lower() for priority in Priority}


def on_messages_changed(*, changes: Sequence[Change], **_: object) -> None:
    """Count the outcomes of a transaction once it is committed."""
    reached = [
        (str(change.message.status), change.message.provider, change.message.tenant_id)
        for change in changes
        if change.message.status in _OUTCOMES and change.message.status != change.previous
    ]
    if reached:
        transaction.on_commit(partial(_count_texts, reached), robust=True)


def _count_texts(reached: Sequence[tuple[str, str, int]]) -> None:
    for outcome, provider, church in reached:
        instruments.texts.labels(outcome, provider, church_sizes.size_of(church)).inc()


def on_calls_settled(*, results: Sequence[Result], **_: object) -> None:
    for result in results:
        message = result.message
        size = church_sizes.size_of(message.tenant_id)
        instruments.calls.labels(str(result.outcome.kind), message.provider, size).inc()
        instruments.call_seconds.labels(message.provider).observe(result.seconds)
        if message.next_attempt_at is not None:
            late = (result.started_at - message.next_attempt_at).total_seconds()
            priority = _PRIORITIES.get(message.priority, "other")
            instruments.lateness_seconds.labels(priority).observe(max(0.0, late))


def on_events_applied(*, events: Sequence[WaitingEvent], now: datetime, **_: object) -> None:
    for event in events:
        lag = max(0.0, (now - event.received_at).total_seconds())
        instruments.webhook_lag_seconds.labels(event.provider).observe(lag)


def on_webhook_answered(*, provider: str, status: int, **_: object) -> None:
    instruments.webhooks.labels(provider, str(status)).inc()


def on_overseen(**_: object) -> None:
    church_sizes.read_wanted()
