"""The lag of the webhooks of the providers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from delivery.models import WebhookEvent
from delivery.webhooks.replay import count_unmatched

_LATEST = 200


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The state of the stored events. Lags are seconds from the arrival to the application."""

    waiting_since: datetime | None
    """The arrival of the event that has been due longest."""
    last_arrival: datetime | None
    usual_lag: float | None
    """The median of the latest applied events."""
    longest_lag: float | None
    unmatched: int
    """The events without a message, up to a thousand."""


def webhooks(now: datetime) -> Webhooks:
    """Return the lag of the latest events. Three queries."""
    due = WebhookEvent.objects.due(now).order_by("due_at").values_list("due_at", flat=True)
    columns = ("received_at", "applied_at")
    found = list(WebhookEvent.objects.order_by("-pk").values_list(*columns)[:_LATEST])
    lags = [
        max(timedelta(), applied - arrived).total_seconds() for arrived, applied in found if applied
    ]
    return Webhooks(
        waiting_since=due.first(),
        last_arrival=found[0][0] if found else None,
        usual_lag=median(lags) if lags else None,
        longest_lag=max(lags, default=None),
        unmatched=count_unmatched(now),
    )
