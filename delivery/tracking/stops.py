"""Refusals for a STOP. They speak of a person, whichever text, and whichever send of it, they are for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from delivery import opt_outs
from delivery.models import Message
from delivery.tracking.report import StatusReport

_STOPPED = "40300"


def note(told: Iterable[tuple[Message, StatusReport]], now: datetime) -> None:
    """An opt-out for each of the refusals among what was told of these messages."""
    refused = {
        (message.tenant_id, message.to_number, report.completed_at or report.at)
        for message, report in told
        if report.failure is not None and report.failure.code == _STOPPED
    }
    # In one order for all workers: two that note the same must not wait for each other.
    for tenant_id, number, at in sorted(refused):
        opt_outs.refused(tenant_id, number, at=at, now=now)
