from __future__ import annotations

from datetime import datetime

from delivery.models import Message
from delivery.models.transitions import TRANSITION_FIELDS
from delivery.statuses import Status
from delivery.tracking.report import StatusReport

PROGRESS_FIELDS = (*TRANSITION_FIELDS, "sent_at", "delivered_at", "provider_status_at")
"""All that :func:`move` may set."""


def move(message: Message, report: StatusReport, now: datetime) -> None:
    """Bring ``message`` to what ``report`` says. A worker that holds it loses its lease: the
    provider has the text, and its late answer only adds its attempt."""
    message.report(report.status, report.failure, now)
    if message.provider_id in {None, report.provider_id}:
        message.keep_billed(report.billed.parts, report.billed.encoding)
    message.provider_id = message.provider_id or report.provider_id
    message.provider_status_at = report.at
    if report.status != Status.ACCEPTED:
        message.sent_at = message.sent_at or report.sent_at
    if report.status == Status.SENT:
        message.sent_at = message.sent_at or report.at
    message.delivered_at = None
    if report.status == Status.DELIVERED:
        message.delivered_at = report.completed_at or report.at
