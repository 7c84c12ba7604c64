"""A batch of reports about texts that we sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from delivery.changes import Changes
from delivery.models import Message, WebhookEvent
from delivery.tracking import stops
from delivery.tracking.matching import Messages, Reported
from delivery.tracking.order import may_be_of_another_send, rank, says_again, supersedes
from delivery.tracking.progress import PROGRESS_FIELDS, move


def apply(reported: Sequence[Reported], changes: Changes, now: datetime) -> list[Reported]:
    """Move the messages on and mark the events; returns those to look at again: their message is
    not there, or it is not yet known of which of its sends they speak."""
    if not reported:
        return []
    messages = Messages(reported)
    before: dict[int, str] = {}
    said_again: set[int] = set()
    too_early = []
    told = []
    for item in sorted(reported, key=_order):
        message = messages.of(item)
        if message is not None:
            told.append((message, item.report))
        if message is None or may_be_of_another_send(item.report, message):
            too_early.append(item)
        elif supersedes(item.report, message):
            before.setdefault(message.pk, message.status)
            move(message, item.report, now)
            _mark(item.event, message, WebhookEvent.Result.APPLIED, now)
        else:
            if says_again(item.report, message):
                message.provider_status_at = item.report.at
                said_again.add(message.pk)
            _mark(item.event, message, WebhookEvent.Result.SUPERSEDED, now)
    Message.objects.all().write(
        [messages.by_id[pk] for pk in sorted(said_again - before.keys())], ["provider_status_at"]
    )
    _write([messages.by_id[pk] for pk in sorted(before)], before, changes)
    stops.note(told, now)
    return too_early


def _order(item: Reported) -> tuple[int, datetime, int]:
    return rank(item.report.status), item.report.at, item.event.pk


def _write(moved: Sequence[Message], before: dict[int, str], changes: Changes) -> None:
    if not moved:
        return
    Message.objects.all().write(moved, PROGRESS_FIELDS)
    for message in moved:
        changes.add(message, previous=before[message.pk])


def _mark(
    event: WebhookEvent, message: Message, result: WebhookEvent.Result, now: datetime
) -> None:
    event.message, event.result, event.applied_at = message, result, now
